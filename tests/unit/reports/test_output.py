"""A result as CSV, JSON and text says the same exact values."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from backoffice.reports.output import as_csv, as_json, as_table, cut_notice, shown
from backoffice.reports.result import Cell, ReportResult, read_cell
from backoffice.reports.spec import ColumnFormat, Report


def result(*rows: tuple[Cell, ...], is_cut: bool = False) -> ReportResult:
    report: dict[str, Any] = {
        "title": "Test",
        "group": "G",
        "description": "D",
        "columns": {
            "name": {"label": "Name"},
            "units": {"label": "Units", "format": "integer", "total": True},
            "revenue": {"label": "Revenue", "format": "money", "total": True},
            "sum": {"label": "Sum", "format": "money"},
        },
        "slug": "test",
        "statements": {"": "SELECT 1"},
    }
    return ReportResult(
        report=Report.model_validate(report),
        values={"from": date(2026, 1, 1), "limit": 3},
        rows=rows,
        is_cut=is_cut,
        seconds=0.0123,
        as_of=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


ROWS: tuple[tuple[Cell, ...], ...] = (
    ("tea", 1200, Decimal("1234.50"), Decimal("1234.50")),
    (None, -3, Decimal("-0.10"), Decimal("1234.40")),
)


def test_csv_has_plain_values_and_no_totals() -> None:
    assert as_csv(result(*ROWS)) == (
        "name,units,revenue,sum\ntea,1200,1234.50,1234.50\n,-3,-0.10,1234.40\n"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_csv_texts_are_no_formulas_and_numbers_stay_numbers(text: str) -> None:
    lines = as_csv(result((text, -1, Decimal("-1.00"), None)))

    rows = list(csv.reader(io.StringIO(lines, newline="")))
    assert rows[1] == [f"'{text}", "-1", "-1.00", ""]


def test_json_money_is_a_number_with_two_decimals() -> None:
    text = as_json(result(*ROWS))

    assert '"revenue":1234.50' in text
    assert json.loads(text) == {
        "report": "test",
        "title": "Test",
        "parameters": {"from": "2026-01-01", "limit": "3"},
        "as_of": "2026-01-02T03:04:05+00:00",
        "seconds": 0.012,
        "is_cut": False,
        "columns": ["name", "units", "revenue", "sum"],
        "rows": [
            {"name": "tea", "units": 1200, "revenue": 1234.5, "sum": 1234.5},
            {"name": None, "units": -3, "revenue": -0.1, "sum": 1234.4},
        ],
        "totals": {"units": 1197, "revenue": 1234.4},
    }


def test_the_table_aligns_numbers_and_ends_with_the_totals() -> None:
    assert as_table(result(*ROWS)).splitlines() == [
        "name   units  revenue      sum",
        "-----  -----  -------  -------",
        "tea     1200  1234.50  1234.50",
        "          -3    -0.10  1234.40",
        "Total   1197  1234.40",
    ]


def test_the_table_shows_no_control_characters() -> None:
    assert "\x1b" not in as_table(result(("\x1b[31mred\n", 1, None, None)))


def test_only_a_cut_result_has_a_notice() -> None:
    assert cut_notice(result()) == ""
    assert cut_notice(result(is_cut=True)).startswith("Cut at 5,000 rows")


def test_totals_of_nothing_are_zero() -> None:
    assert result().totals() == {"units": 0, "revenue": Decimal("0.00")}


@pytest.mark.parametrize(
    ("form", "value", "cell"),
    [
        (ColumnFormat.MONEY, 0.1 + 0.2, Decimal("0.30")),
        (ColumnFormat.MONEY, Decimal("2.5000"), Decimal("2.50")),
        (ColumnFormat.MONEY, 3, Decimal("3.00")),
        (ColumnFormat.INTEGER, Decimal(7), 7),
        (ColumnFormat.DATE, "2026-01-31", date(2026, 1, 31)),
        (ColumnFormat.MONTH, "2026-01", "2026-01"),
        (ColumnFormat.MONEY, None, None),
        (ColumnFormat.TEXT, "", ""),
    ],
)
def test_what_a_driver_gives_becomes_a_plain_exact_value(
    form: ColumnFormat, value: Any, cell: Cell
) -> None:
    assert read_cell(form, value) == cell
    assert type(read_cell(form, value)) is type(cell)


def test_nothing_is_shown_apart_from_an_empty_text() -> None:
    assert [shown(cell) for cell in (None, "", Decimal("1234.50"), 1200)] == [
        "—",
        "",
        "1,234.50",
        "1,200",
    ]
