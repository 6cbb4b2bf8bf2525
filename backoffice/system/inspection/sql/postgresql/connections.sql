SELECT count(*) FILTER (WHERE usesysid IS NOT NULL) AS used,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS available,
       count(*) FILTER (WHERE state = 'active' AND here) AS active,
       count(*) FILTER (WHERE state = 'idle' AND here) AS idle,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%' AND here) AS idle_in_transaction,
       count(*) FILTER (WHERE wait_event_type = 'Lock' AND here) AS waiting_for_locks,
       coalesce(extract(epoch FROM max(now() - xact_start) FILTER (WHERE here)), 0)::float8
         AS longest_transaction_seconds,
       coalesce(extract(epoch FROM max(now() - state_change)
         FILTER (WHERE state LIKE 'idle in transaction%' AND here)), 0)::float8
         AS longest_idle_transaction_seconds,
       coalesce(extract(epoch FROM max(now() - query_start)
         FILTER (WHERE state = 'active' AND here)), 0)::float8 AS longest_statement_seconds
  FROM (SELECT *, datname = current_database() AND backend_type = 'client backend'
                  AND pid <> pg_backend_pid() AS here
          FROM pg_stat_activity) AS sessions
