"""The connections of reports: their own, closed after each run, and unable to write.

PostgreSQL: a READ ONLY transaction, and a cursor declared on the server, which takes one SELECT and
nothing else. A superuser can still read the server's files (`pg_read_file`) from such a SELECT:
what closes that is a login without rights, named by REPORTS_DATABASE_URL.
SQLite: a file opened `mode=ro`, and an authoriser that allows reading and nothing else.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from backoffice.errors import ConfigurationError

_ALLOWED_ACTIONS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_FORBIDDEN_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_LONGEST_VALUE = 1_000_000
_INSTRUCTIONS_BETWEEN_LOOKS_AT_THE_CLOCK = 1000


def open_engine(url: str | URL, *, connect_timeout_s: int = 5) -> Engine:
    """Return an engine whose connections live for one report; nothing is connected yet.

    No pool: what a SELECT leaves behind in its session (settings, advisory locks) ends with it.
    """
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        return sa.create_engine(
            "sqlite://",
            creator=lambda: _open_sqlite(url),
            poolclass=NullPool,
            hide_parameters=True,
        )
    return sa.create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "connect_timeout": connect_timeout_s,
            "application_name": "backoffice-reports",
            "options": "-c timezone=UTC",
        },
    )


_SET_TIMEOUT = sa.text("SELECT set_config('statement_timeout', :ms, true)")


@contextmanager
def read_only(engine: Engine, timeout_s: float) -> Iterator[Connection]:
    """Give a connection that cannot write and whose statement ends after `timeout_s`."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection, _guarded(connection, timeout_s):
            yield connection
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        # First and on its own: the report's statement becomes a DECLARE, which takes no SET.
        connection.execute(_SET_TIMEOUT, {"ms": str(round(timeout_s * 1000))})
        try:
            yield connection
        finally:
            connection.rollback()


def _open_sqlite(url: URL) -> sqlite3.Connection:
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError("Reports need a SQLite database in a file.")
    path = str(url.database).removeprefix("file:").partition("?")[0]
    # Patience for a writer's lock is for the deadline to end.
    return sqlite3.connect(
        f"{Path(path).resolve().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def _guarded(connection: Connection, timeout_s: float) -> Iterator[None]:
    """Hold the file connection to reading, in time, in values of bounded length."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("This is not a connection of sqlite3.")
    deadline = time.monotonic() + timeout_s
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    raw.set_progress_handler(
        lambda: time.monotonic() > deadline, _INSTRUCTIONS_BETWEEN_LOOKS_AT_THE_CLOCK
    )
    raw.set_authorizer(_authorise)
    try:
        yield
    finally:
        raw.set_authorizer(None)
        raw.set_progress_handler(None, 0)


def _authorise(
    action: int, _arg1: str | None, arg2: str | None, _database: str | None, _source: str | None
) -> int:
    forbidden = action == sqlite3.SQLITE_FUNCTION and (arg2 or "").lower() in _FORBIDDEN_FUNCTIONS
    if action not in _ALLOWED_ACTIONS or forbidden:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK
