"""What a chart draws is what the table says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from backoffice.reports.chart import chart_spec
from backoffice.reports.result import Cell, ReportResult
from backoffice.reports.spec import Report


def result(
    chart: dict[str, Any] | None, *rows: tuple[Cell, ...], form: str = "text"
) -> ReportResult:
    report: dict[str, Any] = {
        "title": "Test",
        "group": "G",
        "description": "D",
        "columns": {
            "rank": {"label": "Rank", "format": "integer"},
            "name": {"label": "Name", "format": form},
            "revenue": {"label": "Revenue", "format": "money"},
        },
        "chart": chart,
        "slug": "test",
        "statements": {"": "SELECT 1"},
    }
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return ReportResult(Report.model_validate(report), {}, rows, False, 0.1, moment)


BAR = {"type": "bar", "x": "name", "y": "revenue"}
ROWS: tuple[tuple[Cell, ...], ...] = (
    (1, "tea", Decimal("2.50")),
    (2, "jam", Decimal("1.25")),
    (None, "(7 others)", Decimal("900.00")),
)


def points(spec: dict[str, Any] | None) -> list[tuple[str, float]]:
    assert spec is not None
    return [(point["x"], point["y"]) for point in spec["data"]["values"]]


def test_rows_are_drawn_in_the_order_of_the_table() -> None:
    assert points(chart_spec(result(BAR, *ROWS))) == [
        ("tea", 2.5),
        ("jam", 1.25),
        ("(7 others)", 900.0),
    ]


def test_rows_without_the_column_of_only_are_left_out() -> None:
    assert len(points(chart_spec(result(BAR | {"only": "rank"}, *ROWS)))) == 2


def test_rows_beyond_the_charts_are_not_drawn() -> None:
    assert points(chart_spec(result(BAR | {"rows": 1}, *ROWS))) == [("tea", 2.5)]


def test_texts_lie_and_months_stand() -> None:
    texts = chart_spec(result(BAR, *ROWS))
    months = chart_spec(result(BAR, (1, "2026-01", Decimal(1)), form="month"))

    assert texts is not None
    assert months is not None
    assert texts["encoding"]["y"]["field"] == "x"
    assert months["encoding"]["x"]["field"] == "x"


def test_without_rows_or_chart_there_is_no_picture() -> None:
    assert chart_spec(result(BAR)) is None
    assert chart_spec(result(None, *ROWS)) is None
