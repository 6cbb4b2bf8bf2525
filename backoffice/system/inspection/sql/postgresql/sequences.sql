WITH owned AS (
  SELECT d.objid, a.attrelid::regclass::text AS "table", a.attname::text AS "column",
         CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                         WHEN 'int4'::regtype THEN 2147483647
                         ELSE 9223372036854775807 END AS highest
    FROM pg_depend d
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
)
SELECT s.sequencename::text AS sequence, o."table", o."column", s.last_value,
       least(s.max_value, o.highest) AS highest,
       coalesce(s.last_value, 0) / least(s.max_value, o.highest)::float8 AS used_ratio
  FROM pg_sequences s
  JOIN pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = n.oid
  LEFT JOIN owned o ON o.objid = c.oid
 ORDER BY used_ratio DESC, s.sequencename
 LIMIT 5
