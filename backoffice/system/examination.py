"""How checks are run: one short read-only connection, and no check can stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from backoffice.db import utc_now
from backoffice.errors import UnavailableError
from backoffice.system.backups.settings import BackupSettings

CONNECT_SECONDS = 2
STATEMENT_MS = 1000


class Outcome(StrEnum):
    """What a check found, from good to bad."""

    PASS = "pass"  # noqa: S105  not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Result:
    """What a check observed, and one sentence that says what it means."""

    outcome: Outcome
    sentence: str
    value: str | float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The results by name of check, in the order of the list."""

    results: dict[str, Result]
    checked_at: datetime

    @property
    def outcome(self) -> Outcome:
        """The worst of all."""
        found = {result.outcome for result in self.results.values()}
        return next((bad for bad in (Outcome.FAIL, Outcome.WARN) if bad in found), Outcome.PASS)


class Examination:
    """What the checks of one run look at; opens the database once, when the first check asks."""

    def __init__(
        self,
        engine: Engine,
        *,
        redis_url: str = "",
        reports_url: str = "",
        backups: BackupSettings | None = None,
    ) -> None:
        self.engine = engine
        self.redis_url = redis_url
        self.reports_url = reports_url
        self.backups = backups
        self.connect_ms = 0.0
        self._connection: Connection | None = None
        self._is_down = False

    def connection(self) -> Connection:
        """Return the read-only connection of this run, which is not one of the application's pool.

        Raises UnavailableError, at once if an earlier check already waited in vain.
        """
        if self._is_down:
            raise UnavailableError("Not checked, because the database does not answer.")
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        started = time.perf_counter()
        try:
            connection = probe_engine(self.engine.url).connect()
        except SQLAlchemyError as error:
            self._is_down = True
            raise UnavailableError(
                "The database does not answer. Check DATABASE_URL and that the server runs."
            ) from error
        self.connect_ms = milliseconds_since(started)
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the connection back to the server."""
        if self._connection is not None:
            self._connection.close()


Check = Callable[[Examination], Result | None]


def examine(
    engine: Engine,
    checks: Sequence[Check],
    *,
    redis_url: str = "",
    reports_url: str = "",
    backups: BackupSettings | None = None,
) -> Health:
    """Run the checks one after the other and return what they found."""
    with Examination(engine, redis_url=redis_url, reports_url=reports_url, backups=backups) as look:
        return run_checks(look, checks)


def run_checks(look: Examination, checks: Sequence[Check]) -> Health:
    """Run the checks on what is open already."""
    found = {check.__name__: _run(check, look) for check in checks}
    return Health({name: result for name, result in found.items() if result}, utc_now())


def _run(check: Check, look: Examination) -> Result | None:
    try:
        return check(look)
    except UnavailableError as error:
        return Result(Outcome.FAIL, str(error))
    except (SQLAlchemyError, CommandError, OSError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        return Result(Outcome.FAIL, f"This could not be found out ({kind}).")


def milliseconds_since(started: float) -> float:
    """Return how long ago `started` was, by the performance counter."""
    return round((time.perf_counter() - started) * 1000, 1)


def probe_engine(url: URL) -> Engine:
    """Return an engine that opens one read-only connection per use and gives up within seconds.

    The application's pool would make a probe wait just when the pool is exhausted.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_probe(url)
    options = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS}"
    return sa.create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "backoffice-probe",
            "options": f"{options} -c lock_timeout=200",
        },
    )


def _sqlite_probe(url: URL) -> Engine:
    """Open the file without creating it: an empty file would pass for an empty database."""
    if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        url = url.set(database=f"file:{quote(url.database)}", query={"mode": "rw", "uri": "true"})
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": STATEMENT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def connected(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.execute("PRAGMA query_only=ON")

    return engine
