"""One group of facts: read by one statement, in a short time, and without stopping the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from backoffice.system.examination import Outcome, milliseconds_since
from backoffice.system.inspection.wording import without_values

GROUP_MS = 500
ALL_SECONDS = 2.0
_SQL = Path(__file__).with_name("sql")
_TICKS = 1_000  # of SQLite's machine, between two looks at the clock
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, and the evidence: figures that may be counted since a moment only."""

    outcome: Outcome
    sentence: str
    evidence: str
    since: datetime | None = None


def _silent(_rows: Sequence[Row]) -> Iterable[Advice]:
    return ()


@dataclass(frozen=True, slots=True)
class Group:
    """What is asked together; its SQL is in sql/<dialect>/<name>.sql.

    The suffix of a column says what it is: _bytes, _seconds, _ratio (of 1) or _at.
    """

    name: str
    title: str
    advise: Callable[[Sequence[Row]], Iterable[Advice]] = _silent
    is_table: bool = False
    empty: str = "None."
    missing: str = "The database refused to tell."


@dataclass(frozen=True, slots=True)
class Reading:
    """What a group found, or in `problem` why it did not."""

    name: str
    title: str
    rows: tuple[Row, ...] = ()
    advice: tuple[Advice, ...] = ()
    is_table: bool = False
    empty: str = ""
    problem: str = ""
    ms: float = 0.0
    columns: tuple[str, ...] = ()

    @property
    def figures(self) -> Row:
        """The facts by name; none when the group is a table."""
        return {} if self.is_table or not self.rows else self.rows[0]

    @property
    def numbers(self) -> set[str]:
        """The columns that hold numbers."""
        return {
            name
            for row in self.rows
            for name, value in row.items()
            if isinstance(value, int | float)
        }


def read_groups(connection: Connection, groups: Sequence[Group]) -> tuple[Reading, ...]:
    """Read one group after the other; those for which no time is left say so."""
    until = time.monotonic() + ALL_SECONDS
    _limit_postgresql(connection)
    return tuple(
        _read(connection, group)
        if time.monotonic() < until
        else _failed(group, "Not read: the groups before took too long.", 0.0)
        for group in groups
    )


def _read(connection: Connection, group: Group) -> Reading:
    started = time.perf_counter()
    _limit_sqlite(connection)
    try:
        result = connection.execute(_query(connection.dialect.name, group.name))
        rows = tuple(_shown(row) for row in result.mappings())
    except DBAPIError as error:
        return _failed(group, _problem(group, error), milliseconds_since(started))
    return Reading(
        group.name,
        group.title,
        rows,
        tuple(group.advise(rows)),
        group.is_table,
        group.empty,
        ms=milliseconds_since(started),
        columns=tuple(result.keys()),
    )


def _failed(group: Group, problem: str, ms: float) -> Reading:
    return Reading(group.name, group.title, is_table=group.is_table, problem=problem, ms=ms)


def _problem(group: Group, error: DBAPIError) -> str:
    kind = type(error.orig).__name__
    if kind in ("QueryCanceled", "LockNotAvailable") or "interrupted" in str(error.orig):
        return f"Not known: it took longer than {GROUP_MS} ms."
    return group.missing


@lru_cache(maxsize=64)
def _query(dialect: str, name: str) -> sa.TextClause:
    return sa.text((_SQL / dialect / f"{name}.sql").read_text(encoding="utf-8"))


def _shown(row: Any) -> Row:
    """Return the row; the values in a statement may be people's data."""
    found = dict(row)
    if found.get("statement"):
        found["statement"] = without_values(found["statement"])
    return found


def _limit_postgresql(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        set_limit = sa.text("SELECT set_config('statement_timeout', :ms, false)")
        connection.execute(set_limit, {"ms": str(GROUP_MS)})


def _limit_sqlite(connection: Connection) -> None:
    """Interrupt what runs longer than a group may; SQLite has no time-out of its own."""
    if connection.dialect.name == "sqlite":
        until = time.monotonic() + GROUP_MS / 1000
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: time.monotonic() > until, _TICKS)
