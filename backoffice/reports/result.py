"""What a run gave: rows of plain values, exact, with totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backoffice.db import quantize
from backoffice.reports.parameters import Value
from backoffice.reports.spec import ColumnFormat, Report

Cell = str | int | Decimal | date | None

CENTS = 2


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The rows of one run; `is_cut` says that there were more than the report may show."""

    report: Report
    values: dict[str, Value]
    rows: tuple[tuple[Cell, ...], ...]
    is_cut: bool
    seconds: float
    as_of: datetime

    @property
    def has_totals(self) -> bool:
        """Whether any column adds up."""
        return any(column.total for column in self.report.columns.values())

    def totals(self) -> dict[str, int | Decimal]:
        """Return the sums, over the rows that are here, of the columns that add up."""
        sums: dict[str, int | Decimal] = {}
        for index, (name, column) in enumerate(self.report.columns.items()):
            if column.total:
                sums[name] = self._sum(index, column.format)
        return sums

    def _sum(self, index: int, form: ColumnFormat) -> int | Decimal:
        total: int | Decimal = Decimal("0.00") if form is ColumnFormat.MONEY else 0
        for row in self.rows:
            cell = row[index]
            if isinstance(cell, int | Decimal):
                total += cell
        return total


def without_names(report: Report, rows: Iterable[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows with the values of personal columns numbered in their order."""
    personal = [column.personal for column in report.columns.values()]
    numbers: dict[Cell, str] = {}
    for row in rows:
        yield tuple(
            numbers.setdefault(cell, f"Customer {len(numbers) + 1}")
            if is_personal and cell is not None and not str(cell).startswith("(")
            else cell
            for cell, is_personal in zip(row, personal, strict=True)
        )


def read_cell(form: ColumnFormat, value: Any) -> Cell:
    """Return the driver's value as the column's format has it: money as exact cents."""
    if value is None:
        return None
    if form is ColumnFormat.MONEY:
        return quantize(Decimal(repr(value) if isinstance(value, float) else value), CENTS)
    if form is ColumnFormat.INTEGER:
        return int(value)
    if form is ColumnFormat.DATE and isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date):
        return value
    return str(value)
