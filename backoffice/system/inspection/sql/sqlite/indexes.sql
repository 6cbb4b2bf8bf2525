WITH tables AS (
  SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
), indexes AS (
  SELECT t.name AS owner, l.name, l."unique", m.sql LIKE '% WHERE %' AS partial, m.sql,
         (SELECT group_concat(coalesce(i.name, '?'), ' ') || ' '
            FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) i) AS columns
    FROM tables t, pragma_index_list(t.name) l
    LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name
)
SELECT 'duplicate' AS finding, a.owner AS "table", a.name,
       'covered by ' || min(b.name) AS detail
  FROM indexes a
  JOIN indexes b ON b.owner = a.owner AND b.name <> a.name
   AND substr(b.columns, 1, length(a.columns)) = a.columns
   AND (b.columns <> a.columns OR b."unique" OR b.name < a.name)
 WHERE NOT a."unique" AND NOT coalesce(a.partial, 0) AND NOT coalesce(b.partial, 0)
   AND instr(a.columns, '?') = 0
 GROUP BY a.owner, a.name
UNION ALL
SELECT 'not indexed', t.name, f."from", 'foreign key to ' || f."table"
  FROM tables t, pragma_foreign_key_list(t.name) f
 WHERE f.seq = 0
   AND NOT EXISTS (SELECT 1 FROM indexes i
                    WHERE i.owner = t.name
                      AND substr(i.columns, 1, length(f."from") + 1) = f."from" || ' '
                      AND (NOT coalesce(i.partial, 0) OR i.sql LIKE '%IS NOT NULL'))
   AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = f."from" AND c.pk = 1)
 ORDER BY 1, 2, 3
