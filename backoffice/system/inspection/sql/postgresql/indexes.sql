WITH index AS (
  SELECT i.*, i.indkey::text || ' ' AS columns,
         (SELECT relam FROM pg_class WHERE oid = i.indexrelid) AS method,
         coalesce(pg_get_expr(i.indexprs, i.indrelid), '') AS expressions,
         coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate
    FROM pg_index i
    JOIN pg_stat_user_indexes s USING (indexrelid)
), since AS (
  SELECT coalesce(stats_reset, pg_postmaster_start_time()) AS at
    FROM pg_stat_database
   WHERE datname = current_database()
)
SELECT 'invalid' AS finding, indrelid::regclass::text AS "table",
       indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS size_bytes,
       'a build that broke off' AS detail, since.at AS counted_since_at
  FROM index, since
 WHERE NOT indisvalid
UNION ALL
SELECT 'duplicate', a.indrelid::regclass::text, a.indexrelid::regclass::text,
       pg_relation_size(a.indexrelid), 'covered by ' || min(b.indexrelid::regclass::text), since.at
  FROM since, index a
  JOIN index b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
   AND b.method = a.method AND b.expressions = a.expressions AND b.predicate = a.predicate
   AND b.columns LIKE a.columns || '%' AND b.indclass::text LIKE a.indclass::text || '%'
   AND (b.columns <> a.columns OR b.indisunique OR b.indexrelid < a.indexrelid)
 WHERE NOT a.indisunique AND a.indisvalid AND b.indisvalid
 GROUP BY a.indrelid, a.indexrelid, since.at
UNION ALL
SELECT 'unused', i.indrelid::regclass::text, i.indexrelid::regclass::text,
       pg_relation_size(i.indexrelid), 'never read', since.at
  FROM since, index i
  JOIN pg_stat_user_indexes s USING (indexrelid)
 WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid
   AND pg_relation_size(i.indexrelid) >= 1048576
UNION ALL
SELECT 'not indexed', k.conrelid::regclass::text, k.conname::text, pg_table_size(k.conrelid),
       'foreign key to ' || k.confrelid::regclass::text, since.at
  FROM since, pg_constraint k
 WHERE k.contype = 'f'
   AND NOT EXISTS (
     SELECT FROM index i
      WHERE i.indrelid = k.conrelid AND i.indisvalid
        AND (i.predicate = '' OR i.predicate LIKE '(% IS NOT NULL)')
        AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
 ORDER BY 4 DESC
 LIMIT 40
