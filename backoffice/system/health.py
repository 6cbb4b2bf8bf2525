"""The checks: one list for the probe, the health page and `flask status`.

A check takes the `Examination` and returns a `Result`, or None where it does not apply. To add
one, write the function and name it in `CHECKS`; its name is the name that people see.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from limits.storage import storage_from_string
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from backoffice import __version__
from backoffice.db import utc_now
from backoffice.errors import UnavailableError
from backoffice.system.backups.summary import backup_health
from backoffice.system.examination import Check, Examination, Outcome, Result, milliseconds_since
from backoffice.system.migrations import SchemaStatus, read_schema

STARTED_AT = utc_now()
_MEGABYTE = 1024 * 1024


def _judge(value: float, warn: float, fail: float) -> Outcome:
    """Return what a figure means that is better when it is lower."""
    if value >= fail:
        return Outcome.FAIL
    return Outcome.WARN if value >= warn else Outcome.PASS


def _is_sqlite(look: Examination) -> bool:
    return look.engine.dialect.name == "sqlite"


def database(look: Examination) -> Result:
    """Whether the database takes a connection and answers, and how fast."""
    connection = look.connection()
    started = time.perf_counter()
    connection.execute(sa.text("SELECT 1"))
    taken = round(look.connect_ms + milliseconds_since(started), 1)
    slow = taken >= 500
    sentence = "The database answers, but slowly." if slow else "The database answers."
    return Result(Outcome.WARN if slow else Outcome.PASS, sentence, taken, "ms")


def schema(look: Examination) -> Result:
    """Whether the schema is the one of this code."""
    status = read_schema(look.connection())
    outcome = Outcome.PASS if status.is_at_head else Outcome.FAIL
    return Result(outcome, status.sentence, status.state.value)


def connection_pool(look: Examination) -> Result | None:
    """How many of this process's pooled connections are in use."""
    pool = look.engine.pool
    if not isinstance(pool, QueuePool):
        return None
    most = pool.size() + pool._max_overflow  # noqa: SLF001  there is no public name for it
    used = pool.checkedout()
    outcome = _judge(used / most, 0.8, float("inf"))
    sentence = (
        f"The pool of this process has {pool.checkedin()} more idle and opens {most} at most."
    )
    return Result(outcome, sentence, used, "in use")


def server_version(look: Examination) -> Result | None:
    """Which database server or library this is."""
    if _is_sqlite(look):
        version = look.connection().scalar(sa.text("SELECT sqlite_version()"))
        return Result(Outcome.PASS, "SQLite, in this process.", version)
    version = str(look.connection().scalar(sa.text("SHOW server_version"))).split()[0]
    old = int(version.split(".")[0]) < 14
    sentence = "PostgreSQL, too old: use 14 or later." if old else "PostgreSQL."
    return Result(Outcome.WARN if old else Outcome.PASS, sentence, version)


def server_connections(look: Examination) -> Result | None:
    """How near the PostgreSQL server is to refusing connections."""
    if _is_sqlite(look):
        return None
    used, most = (
        look.connection()
        .execute(
            sa.text(
                "SELECT count(*), current_setting('max_connections')::int"
                " - current_setting('superuser_reserved_connections')::int"
                # A plain role sees of other people's sessions hardly more than that they are there.
                " FROM pg_stat_activity WHERE usesysid IS NOT NULL"
            )
        )
        .one()
    )
    outcome = _judge(used / most, 0.75, 0.95)
    return Result(outcome, f"The server takes {most} connections.", used, "open")


def idle_transactions(look: Examination) -> Result | None:
    """Whether a session holds locks while doing nothing."""
    if _is_sqlite(look):
        return None
    seconds = look.connection().scalar(
        sa.text(
            "SELECT coalesce(extract(epoch FROM max(now() - state_change)), 0)"
            " FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
    )
    minutes = round(float(seconds or 0) / 60, 1)
    outcome = _judge(minutes, 5, float("inf"))
    return Result(outcome, "The longest wait inside an open transaction.", minutes, "min")


def journal_mode(look: Examination) -> Result | None:
    """Whether readers and the writer of SQLite keep out of each other's way."""
    if not _is_sqlite(look):
        return None
    mode = look.connection().scalar(sa.text("PRAGMA journal_mode"))
    if mode == "wal":
        return Result(Outcome.PASS, "Readers and the writer do not block each other.", mode)
    return Result(Outcome.WARN, "Readers and the writer block each other: WAL is not on.", mode)


def database_size(look: Examination) -> Result | None:
    """How large the database is."""
    if _is_sqlite(look):
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    else:
        query = "SELECT pg_database_size(current_database())"
    size = look.connection().scalar(sa.text(query)) or 0
    return Result(Outcome.PASS, "The size of the database.", round(size / _MEGABYTE, 1), "MB")


def disk(look: Examination) -> Result:
    """Whether there is room: beside the SQLite file, else where temporary files go."""
    path = look.engine.url.database if _is_sqlite(look) else None
    is_file = path and Path(path).parent.is_dir() and path != ":memory:"
    folder = Path(path).parent if path and is_file else Path(tempfile.gettempdir())
    usage = shutil.disk_usage(folder)
    used = usage.used / (usage.used + usage.free) if usage.total else 0.0
    what = "beside the database file" if is_file else "for temporary files"
    free = round(usage.free / _MEGABYTE)
    return Result(_judge(used, 0.9, 0.98), f"Free room {what}; {used:.0%} is used.", free, "MB")


def rate_limit_storage(look: Examination) -> Result | None:
    """Whether Redis answers, when it is configured."""
    if not look.redis_url:
        return None
    started = time.perf_counter()
    storage = storage_from_string(
        look.redis_url, socket_connect_timeout=0.5, socket_timeout=0.5, wrap_exceptions=True
    )
    if not storage.check():
        return Result(
            Outcome.WARN, "Redis does not answer: until it does, each process limits for itself."
        )
    return Result(Outcome.PASS, "Redis answers.", milliseconds_since(started), "ms")


def reports_database(look: Examination) -> Result | None:
    """Whether the database of the reports answers, when they have one of their own."""
    if not look.reports_url:
        return None
    started = time.perf_counter()
    with Examination(sa.create_engine(look.reports_url)) as other:
        try:
            other.connection()
        except UnavailableError:
            sentence = "The database of the reports does not answer. Check REPORTS_DATABASE_URL."
            return Result(Outcome.FAIL, sentence)
    taken = milliseconds_since(started)
    return Result(Outcome.PASS, "The database of the reports answers.", taken, "ms")


def backups(look: Examination) -> Result | None:
    """How old the newest backup is, and whether one was lately proved."""
    return backup_health(look.backups, utc_now()) if look.backups else None


def process(_look: Examination) -> Result:
    """What runs here, and since when."""
    hours = round((utc_now() - STARTED_AT).total_seconds() / 3600, 1)
    started = STARTED_AT.strftime("%Y-%m-%d %H:%M UTC")
    what = f"Backoffice {__version__} on Python {platform.python_version()}"
    return Result(Outcome.PASS, f"{what}, started {started}.", hours, "h")


READINESS: tuple[Check, ...] = (database, schema)
CHECKS: tuple[Check, ...] = (
    *READINESS,
    connection_pool,
    server_version,
    server_connections,
    idle_transactions,
    journal_mode,
    database_size,
    disk,
    reports_database,
    rate_limit_storage,
    backups,
    process,
)


def schema_status(engine: Engine) -> SchemaStatus:
    """Return what the schema check looks at, in full.

    Raises UnavailableError when the database does not answer, DBAPIError when it does so too late.
    """
    with Examination(engine) as look:
        return read_schema(look.connection())
