"""What the facts of a group mean: advice apart from facts, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from backoffice.db import utc_now
from backoffice.system.examination import Outcome
from backoffice.system.inspection.reading import Advice, Row

# An index that only the end of the month reads is unused on most days.
LONG_ENOUGH = timedelta(days=35)
MEGABYTE = 1024 * 1024
WARN, FAIL = Outcome.WARN, Outcome.FAIL


def of_server(rows: Sequence[Row]) -> Iterator[Advice]:
    """The server's own settings."""
    for row in rows:
        if not row["autovacuum"]:
            yield Advice(
                WARN,
                "Turn autovacuum on: without it tables grow, estimates go wrong and the server "
                "stops in the end.",
                "autovacuum is off",
            )
        if row["settings_waiting_for_restart"]:
            yield Advice(
                WARN,
                "Restart PostgreSQL at the next occasion: settings were changed that need it.",
                f"{row['settings_waiting_for_restart']} in pg_settings wait",
            )
        if not row["sees_all_sessions"]:
            yield Advice(
                WARN,
                "Let this account see the other sessions: GRANT pg_monitor TO its role. Until then "
                "their statements and states are hidden, and the figures below are too low.",
                "the role is not a member of pg_read_all_stats",
            )
        if not row["has_trigram_search"]:
            yield Advice(
                WARN,
                "Install pg_trgm: CREATE EXTENSION pg_trgm. Without it a search for a part of a "
                "word reads the whole table.",
                "pg_extension has no pg_trgm",
            )


def of_sessions(rows: Sequence[Row]) -> Iterator[Advice]:
    """Who holds up whom."""
    for row in rows:
        if row["blocked_by"]:
            yield Advice(
                WARN,
                f"Session {row['pid']} waits for session {row['blocked_by']}. If that one is "
                "stuck, end it.",
                f"it has waited {row['statement_seconds'] or 0:.0f} s",
            )


def of_traffic(rows: Sequence[Row]) -> Iterator[Advice]:
    """What the server counted for this database."""
    for row in rows:
        since = row["counted_since_at"]
        if row["checksum_failures"]:
            yield Advice(
                FAIL,
                "The disk returned damaged pages. Stop writing, and restore a verified backup on "
                "another disk.",
                f"{row['checksum_failures']} checksum failures",
                since,
            )
        if row["archive_failures"]:
            yield Advice(
                FAIL,
                "The journal is not archived any more. Look into the server's log.",
                f"{row['archive_failures']} failures, the last one after the last success",
            )
        hit = row["cache_hit_ratio"]
        if hit is not None and hit < 0.95 and row["pages_read"] > 1_000_000:
            yield Advice(
                WARN,
                "Pages often come from the disk. Look for statements that read whole tables; if "
                "there are none, give PostgreSQL more shared_buffers.",
                f"{hit:.1%} of pages were in its cache",
                since,
            )


def of_replication(rows: Sequence[Row]) -> Iterator[Advice]:
    """Followers that lag, and slots that hold the journal back for nobody."""
    for row in rows:
        lag = row["lag_bytes"] or 0
        if row["kind"] == "slot" and row["state"] == "inactive" and lag > 1024 * MEGABYTE:
            yield Advice(
                WARN,
                f"Slot {row['name']} is read by nobody and keeps the journal: it fills the disk. "
                "Start its reader, or drop the slot.",
                f"{lag / MEGABYTE:,.0f} MB kept",
            )
        if row["kind"] != "slot" and (lag > 100 * MEGABYTE or (row["lag_seconds"] or 0) > 60):
            yield Advice(
                WARN,
                "A replica is behind: what is read from it is old.",
                f"{row['name']}: {lag / MEGABYTE:,.0f} MB, {row['lag_seconds'] or 0:.0f} s",
            )


def of_freezing(rows: Sequence[Row]) -> Iterator[Advice]:
    """How near the server is to refusing writes because transaction numbers run out."""
    for row in rows:
        used = max(row["used_ratio"] or 0, row["used_by_row_locks_ratio"] or 0)
        if used >= 0.5:
            yield Advice(
                FAIL if used >= 0.75 else WARN,
                f"Run VACUUM FREEZE {row['table']}, and find out what keeps autovacuum from it: at "
                "100 % the server takes no writes.",
                f"{used:.0%} of the transaction numbers are used up",
            )


def of_sequences(rows: Sequence[Row]) -> Iterator[Advice]:
    """Keys that run out."""
    for row in rows:
        if row["used_ratio"] >= 0.5:
            yield Advice(
                FAIL if row["used_ratio"] >= 0.9 else WARN,
                f"Widen {row['table']}.{row['column']} to bigint before its numbers run out.",
                f"{row['sequence']} stands at {row['last_value']:,} of {row['highest']:,}",
            )


def of_tables(rows: Sequence[Row]) -> Iterator[Advice]:
    """Tables that want VACUUM, ANALYZE or an index."""
    for row in rows:
        table, many = row["table"], (row["rows_estimated"] or 0) >= 10_000
        if many and (row["dead_ratio"] or 0) >= 0.2:
            yield Advice(
                WARN,
                f"Run VACUUM {table}, or let autovacuum come earlier.",
                f"{row['dead_ratio']:.0%} of its rows are dead",
            )
        if many and (row["analyzed_at"] is None or (row["changed_since_analyze_ratio"] or 0) > 0.5):
            yield Advice(
                WARN,
                f"Run ANALYZE {table}: the planner works with old estimates.",
                "never analysed"
                if row["analyzed_at"] is None
                else f"{row['changed_since_analyze_ratio']:.0%} changed since",
                row["analyzed_at"],
            )
        loose = row["loose_bytes"] or 0
        if loose > 100 * MEGABYTE and loose > 0.4 * row["size_bytes"]:
            yield Advice(
                WARN,
                f"{table} is far larger than its rows. pg_repack or VACUUM FULL gives the room "
                "back; the latter locks the table.",
                f"about {loose / MEGABYTE:,.0f} of {row['size_bytes'] / MEGABYTE:,.0f} MB are "
                "loose, an estimate",
                row["analyzed_at"],
            )


def of_indexes(rows: Sequence[Row]) -> Iterator[Advice]:
    """Indexes that are broken, too many or missing; whether one is unused takes weeks to know."""
    for row in rows:
        size = (row.get("size_bytes") or 0) / MEGABYTE
        match row["finding"]:
            case "invalid":
                yield Advice(
                    WARN,
                    f"Rebuild {row['name']}: REINDEX INDEX CONCURRENTLY {row['name']}.",
                    "it does not count, but is written to",
                )
            case "duplicate":
                yield Advice(
                    WARN,
                    f"{row['name']} on {row['table']} does nothing that another index does not; a "
                    "migration can take it away.",
                    f"{row['detail']}, {size:,.1f} MB",
                )
            case "unused" if _is_long(row["counted_since_at"]):
                yield Advice(
                    WARN,
                    f"Nobody reads {row['name']} here. If no replica does either, a migration can "
                    "take it away.",
                    f"0 reads, {size:,.0f} MB",
                    row["counted_since_at"],
                )
            case "not indexed" if size >= 100:
                yield Advice(
                    WARN,
                    f"{row['name']} has no index: deleting what it points to reads all of "
                    f"{row['table']}. If such rows are deleted, a migration can add one.",
                    f"{row['detail']}; the table has {size:,.0f} MB",
                )


def _is_long(since: datetime | None) -> bool:
    return since is not None and utc_now() - since >= LONG_ENOUGH


def of_statements(rows: Sequence[Row]) -> Iterator[Advice]:
    """Statements on which the server spends its time."""
    for row in rows:
        if row["share_ratio"] >= 0.1 and row["mean_seconds"] >= 0.1 and row["calls"] >= 100:
            yield Advice(
                WARN,
                f"One statement takes a good part of the server's time: {row['statement'][:120]}",
                f"{row['share_ratio']:.0%} of all, {row['mean_seconds'] * 1000:,.0f} ms each, "
                f"{row['calls']:,} calls",
            )


def of_file(rows: Sequence[Row]) -> Iterator[Advice]:
    """The SQLite file as a whole."""
    for row in rows:
        if row["free_ratio"] > 0.25 and row["free_bytes"] > 10 * MEGABYTE:
            yield Advice(
                WARN,
                "Much of the file is empty. VACUUM gives the room back; it needs as much again "
                "while it runs, and nobody can write meanwhile.",
                f"{row['free_ratio']:.0%} of its pages are free",
            )
        if not row["has_statistics"]:
            yield Advice(
                WARN,
                "Run ANALYZE, so that the planner knows its tables.",
                "there is no sqlite_stat1",
            )


def of_integrity(rows: Sequence[Row]) -> Iterator[Advice]:
    """Whether the SQLite file holds together."""
    for row in rows:
        if row["quick_check"] != "ok":
            yield Advice(
                FAIL,
                "The file is damaged. Stop the application, keep the file, and restore a verified "
                "backup.",
                "PRAGMA quick_check found faults",
            )
