SELECT s.calls, s.total_exec_time / 1000 AS total_seconds,
       s.mean_exec_time / 1000 AS mean_seconds, s.max_exec_time / 1000 AS slowest_seconds,
       s.total_exec_time / sum(s.total_exec_time) OVER () AS share_ratio, s.rows,
       left(s.query, 2000) AS statement
  FROM pg_stat_statements s
  JOIN pg_database d ON d.oid = s.dbid
 WHERE d.datname = current_database() AND s.total_exec_time > 0
 ORDER BY s.total_exec_time DESC
 LIMIT 15
