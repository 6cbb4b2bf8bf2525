"""A check: a SELECT of the rows that break a rule, run read-only and within a time."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from backoffice.db import quantize
from backoffice.errors import BackofficeError, QueryLimitError
from backoffice.reports.runner import ReportRunner

# Counting stops here: "1,000+" is as good a reason to act.
COUNTED = 1000
EACH_SECONDS, ALL_SECONDS, ALONE_SECONDS = 8.0, 40.0, 45.0

_COLUMNS = ("id", "label", "expected", "found")


@dataclass(frozen=True, slots=True)
class Check:
    """A rule about the rows of a table.

    `sql` selects `id` and `label` of each row that breaks it, with what is `expected` of it and
    what was `found`, both of them as amounts, numbers or words.
    """

    slug: str
    title: str
    area: str
    table: str
    meaning: str
    sql: str

    def statement(self) -> sa.Select[Any]:
        """Return the SELECT, in the order of the ids."""
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in _COLUMNS]
        rows = sa.text(self.sql).columns(*columns).subquery("broken")
        return sa.select(rows).order_by(rows.c.id)


class Verdict(StrEnum):
    """What a check came to; one that was stopped says nothing about the data."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that breaks a rule."""

    id: int
    label: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; at most COUNTED rows, and whether there are more."""

    check: Check
    rows: tuple[Broken, ...] = ()
    has_more: bool = False
    seconds: float = 0.0
    problem: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the rule holds."""
        if self.problem:
            return Verdict.STOPPED
        return Verdict.FAIL if self.rows else Verdict.PASS

    @property
    def count(self) -> str:
        """How many rows, as it is shown."""
        return f"{len(self.rows):,}{'+' if self.has_more else ''}"


def examine(runner: ReportRunner, check: Check, timeout_s: float) -> Finding:
    """Run one check; that it was stopped or could not be run is said in the finding."""
    started = time.perf_counter()
    try:
        found = runner.check(check.title, check.statement(), rows=COUNTED + 1, timeout_s=timeout_s)
    except QueryLimitError:
        problem = f"Stopped after {timeout_s:g} seconds: whether the rule holds is not known."
        return Finding(check, problem=problem, seconds=timeout_s)
    except BackofficeError as error:
        return Finding(check, problem=str(error))
    rows = tuple(
        Broken(row.id, str(row.label), _cell(row.expected), _cell(row.found)) for row in found
    )
    seconds = time.perf_counter() - started
    return Finding(check, rows[:COUNTED], len(rows) > COUNTED, seconds)


def examine_all(runner: ReportRunner, checks: Iterable[Check]) -> list[Finding]:
    """Run the checks within ALL_SECONDS together; those that it is too late for are not run."""
    deadline = time.monotonic() + ALL_SECONDS
    findings = []
    for check in checks:
        left = min(EACH_SECONDS, deadline - time.monotonic())
        late = Finding(check, problem="Not run: the checks before took all the time.")
        findings.append(examine(runner, check, round(left, 1)) if left >= 1 else late)
    return findings


def _cell(value: Any) -> Any:
    """Return money exactly: SQLite has it as floating point."""
    return quantize(Decimal(repr(value)), 2) if isinstance(value, float) else value
