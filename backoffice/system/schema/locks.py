"""One migration at a time: PostgreSQL's advisory lock, taken by polling."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from backoffice.errors import UnavailableError

# Advisory locks belong to one database, so the key need not name it.
LOCK_KEY = 0x6261636B_6F666669
_POLL_SECONDS = 0.2
_TRY = sa.text("SELECT pg_try_advisory_lock(:key)")
_RELEASE = sa.text("SELECT pg_advisory_unlock(:key)")
# A key of 64 bits is shown in halves.
_HOLDERS = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :high AND objid::bigint = :low"
)


@contextmanager
def one_at_a_time(
    engine: Engine, wait_seconds: float, say: Callable[[str], None]
) -> Iterator[Connection]:
    """Hold the lock on this database's schema and give its connection, which commits at once.

    It polls: a waiting statement would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
    Raises UnavailableError when another migration holds the lock for longer than `wait_seconds`.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.detach()  # not for the pool: the lock ends with the session
        until = time.monotonic() + wait_seconds
        said = False
        while not guard.scalar(_TRY, {"key": LOCK_KEY}):
            if time.monotonic() > until:
                raise UnavailableError("Another migration is running. Nothing was changed.")
            if not said:
                say(f"Another migration is running; waiting up to {wait_seconds:g} s for it.")
                said = True
            time.sleep(_POLL_SECONDS)
        guard.rollback()  # of SQLAlchemy's own book-keeping: the lock belongs to the session
        yield guard
        guard.execute(_RELEASE, {"key": LOCK_KEY})  # at once; a failure ends the session, as well


def is_migrating(connection: Connection) -> bool | None:
    """Whether a migration is running now; None on SQLite, which does not tell."""
    if connection.dialect.name == "sqlite":
        return None
    halves = {"high": LOCK_KEY >> 32, "low": LOCK_KEY & 0xFFFFFFFF}
    return bool(connection.scalar(_HOLDERS, halves))
