SELECT d.blks_hit::float8 / nullif(d.blks_hit + d.blks_read, 0) AS cache_hit_ratio,
       d.blks_hit + d.blks_read AS pages_read,
       d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks,
       d.temp_bytes AS temporary_bytes, d.checksum_failures,
       (SELECT failed_count FROM pg_stat_archiver
         WHERE last_failed_time > coalesce(last_archived_time, '-infinity'))
         AS archive_failures,
       d.stats_reset AS counted_since_at
  FROM pg_stat_database d
 WHERE d.datname = current_database()
