"""The groups of each database, in the order in which they are read and shown."""

from __future__ import annotations

from backoffice.system.inspection import advice
from backoffice.system.inspection.reading import Group

_STATEMENTS_OFF = (
    "pg_stat_statements is not there. To have it: add it to shared_preload_libraries, restart "
    "PostgreSQL, and run CREATE EXTENSION pg_stat_statements."
)

POSTGRESQL = (
    Group("server", "Server", advice.of_server),
    Group("connections", "Connections"),
    Group(
        "sessions",
        "Waiting and long sessions",
        advice.of_sessions,
        is_table=True,
        empty="Nobody waits for a lock, and no transaction is older than a minute.",
    ),
    Group("traffic", "Traffic", advice.of_traffic),
    Group(
        "replication",
        "Replication",
        advice.of_replication,
        is_table=True,
        empty="No server follows this one, and it follows none.",
    ),
    Group("freezing", "Transaction numbers", advice.of_freezing, is_table=True),
    Group("sequences", "Sequences", advice.of_sequences, is_table=True),
    Group("tables", "Tables", advice.of_tables, is_table=True, empty="There is no table."),
    Group(
        "indexes",
        "Indexes",
        advice.of_indexes,
        is_table=True,
        empty="None is invalid, duplicate, unused or missing.",
    ),
    Group(
        "statements",
        "Slow statements",
        advice.of_statements,
        is_table=True,
        empty="None was counted yet.",
        missing=_STATEMENTS_OFF,
    ),
)

SQLITE = (
    Group("server", "File", advice.of_file),
    Group("integrity", "Integrity", advice.of_integrity),
    Group("tables", "Tables", is_table=True, empty="There is no table."),
    Group(
        "indexes",
        "Indexes",
        advice.of_indexes,
        is_table=True,
        empty="None is duplicate or missing.",
    ),
)
