WITH here AS (
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
              ELSE pg_current_wal_lsn() END AS lsn
)
SELECT 'follower' AS kind, coalesce(nullif(r.application_name, ''), 'without a name') AS name,
       r.state, pg_wal_lsn_diff(here.lsn, r.replay_lsn)::float8 AS lag_bytes,
       extract(epoch FROM r.replay_lag)::float8 AS lag_seconds
  FROM pg_stat_replication r, here
UNION ALL
SELECT 'slot', s.slot_name::text, CASE WHEN s.active THEN 'active' ELSE 'inactive' END,
       pg_wal_lsn_diff(here.lsn, s.restart_lsn)::float8, NULL
  FROM pg_replication_slots s, here
UNION ALL
SELECT 'this server', 'follows another', 'recovery',
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END
 WHERE pg_is_in_recovery()
