SELECT current_setting('server_version') AS version,
       pg_postmaster_start_time() AS started_at,
       pg_is_in_recovery() AS is_replica,
       (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS is_encrypted,
       pg_database_size(current_database()) AS size_bytes,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS has_trigram_search,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all_sessions,
       current_setting('autovacuum')::boolean AS autovacuum,
       (SELECT count(*) FROM pg_settings WHERE pending_restart) AS settings_waiting_for_restart
