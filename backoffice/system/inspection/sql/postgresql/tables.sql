-- A row takes its mean width as of the last ANALYZE, 24 bytes of header and 4 of pointer. What the
-- table has beyond that is loose: an estimate, blind to alignment and to what is stored aside.
WITH largest AS MATERIALIZED (
  SELECT s.*, c.relpages, c.reltuples, pg_table_size(s.relid) AS size_bytes,
         current_setting('block_size')::float8 AS page
    FROM pg_stat_user_tables s
    JOIN pg_class c ON c.oid = s.relid
   ORDER BY pg_table_size(s.relid) DESC, s.relname
   LIMIT 20
), widths AS (
  SELECT p.schemaname, p.tablename, sum((1 - p.null_frac) * p.avg_width) AS width
    FROM pg_stats p
   WHERE NOT p.inherited AND p.schemaname IN (SELECT schemaname FROM largest)
   GROUP BY p.schemaname, p.tablename
)
SELECT s.relname AS "table", s.n_live_tup AS rows_estimated,
       s.size_bytes, pg_indexes_size(s.relid) AS index_bytes,
       CASE WHEN s.reltuples > 0 THEN greatest(0,
         s.relpages - ceil(s.reltuples * (28 + w.width) / (page - 24))) * page END AS loose_bytes,
       s.n_dead_tup::float8 / nullif(s.n_live_tup + s.n_dead_tup, 0) AS dead_ratio,
       s.n_mod_since_analyze::float8 / nullif(s.n_live_tup, 0) AS changed_since_analyze_ratio,
       s.seq_scan AS sequential_scans, s.idx_scan AS index_scans,
       greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed_at,
       greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at
  FROM largest s
  LEFT JOIN widths w ON w.schemaname = s.schemaname AND w.tablename = s.relname
 ORDER BY s.size_bytes DESC, s.relname
