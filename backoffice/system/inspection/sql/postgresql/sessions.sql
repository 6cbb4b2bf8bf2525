WITH waiting AS (
  SELECT pid, pg_blocking_pids(pid) AS blockers
    FROM pg_stat_activity
   WHERE wait_event_type = 'Lock' AND datname = current_database()
)
SELECT a.pid, a.usename AS account, a.application_name AS application, a.state,
       extract(epoch FROM now() - a.xact_start)::float8 AS transaction_seconds,
       extract(epoch FROM now() - a.query_start)::float8 AS statement_seconds,
       a.wait_event AS waits_for,
       array_to_string(w.blockers, ', ') AS blocked_by,
       left(a.query, 2000) AS statement
  FROM pg_stat_activity a
  LEFT JOIN waiting w USING (pid)
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
   AND a.backend_type = 'client backend'
   AND (w.pid IS NOT NULL
        OR a.pid IN (SELECT unnest(blockers) FROM waiting)
        OR a.state <> 'idle' AND now() - a.xact_start > interval '60 s')
 ORDER BY w.pid IS NOT NULL, a.xact_start
 LIMIT 30
