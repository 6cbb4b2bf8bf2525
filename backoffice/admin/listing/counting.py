"""How many rows a list has: exact where that is quick, and never at the price of the rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from backoffice.db import Base

CAP = 10_000
BUDGET_SECONDS = 0.150
_STEPS_BETWEEN_LOOKS = 1000
_PG_CLASS = sa.table("pg_class", sa.column("oid"), sa.column("reltuples", sa.Float))


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows and how far it can be trusted; None when even a guess took too long."""

    number: int | None
    is_exact: bool = True
    is_capped: bool = False

    def __str__(self) -> str:
        if self.number is None:
            return "many"
        if self.is_capped:
            return f"{self.number:,}+"
        return f"{self.number:,}" if self.is_exact else f"about {_rounded(self.number):,}"


def count_rows(
    session: Session, statement: sa.Select[Any], *, budget: float = BUDGET_SECONDS
) -> Count:
    """Count the rows of a statement up to the cap, within the budget; else let the planner guess.

    Rolls the session back when the budget is used up: load the rows first, and let go of them.
    """
    rows = statement.order_by(None).with_only_columns(sa.literal(1), maintain_column_froms=True)
    some = rows.limit(CAP + 1).subquery()
    try:
        with _deadline(session, budget):
            number = session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    except OperationalError:
        session.rollback()
        return _guess(session, statement)
    return Count(min(number, CAP), is_exact=number <= CAP, is_capped=number > CAP)


def count_table(session: Session, model: type[Base]) -> Count:
    """Count a whole table: exactly while it is small, by PostgreSQL's statistics when it is not."""
    if session.get_bind().dialect.name != "postgresql":
        return count_rows(session, sa.select(model))
    number, is_guess = session.execute(_guess_or_count(model, CAP)).one()
    return Count(
        min(int(number), CAP) if not is_guess else int(number),
        is_exact=not is_guess,
        is_capped=not is_guess and number > CAP,
    )


@lru_cache(maxsize=100)
def _guess_or_count(model: type[Base], cap: int) -> sa.Select[Any]:
    """Return the statement, which every list sends and which is made only once."""
    name = model.__table__.fullname  # type: ignore[attr-defined]
    guess = (
        sa.select(_PG_CLASS.c.reltuples)
        .where(_PG_CLASS.c.oid == sa.func.to_regclass(name))
        .scalar_subquery()
    )
    some = sa.select(sa.literal(1)).select_from(model).limit(cap + 1).subquery()
    exact = sa.select(sa.func.count()).select_from(some).scalar_subquery()
    is_large = guess > cap
    return sa.select(sa.case((is_large, guess), else_=exact), is_large)


class _Explain(sa.Executable, sa.ClauseElement):
    """The plan of a statement, not its rows."""

    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain, "postgresql")
def _compile_explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


def _guess(session: Session, statement: sa.Select[Any]) -> Count:
    """Return the planner's estimate; SQLite has none."""
    if session.get_bind().dialect.name != "postgresql":
        return Count(None, is_exact=False)
    plan = session.connection().execute(_Explain(statement.order_by(None))).scalar_one()
    return Count(int(plan[0]["Plan"]["Plan Rows"]), is_exact=False)


def _rounded(number: int) -> int:
    """Return the number with two digits that mean something."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return int(round(number / unit) * unit)


@contextmanager
def _deadline(session: Session, seconds: float) -> Iterator[None]:
    """Stop what the session's connection does after so long; raises OperationalError then.

    A timeout of the server's own would cost two more statements.
    """
    driver: Any = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        until = time.monotonic() + seconds
        driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            driver.set_progress_handler(None, 0)
        return
    timer = threading.Timer(seconds, driver.cancel_safe)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # A cancellation on its way must not meet the connection's next statement.
        timer.join()
