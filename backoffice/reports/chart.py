"""A result as a Vega-Lite specification; colours and fonts are the page's business."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from backoffice.reports.result import Cell, ReportResult
from backoffice.reports.spec import ColumnFormat

# Pixels: of a chart whose bars stand, and of the axis below bars that lie.
_STANDING, _AXIS = 300, 48


def chart_spec(result: ReportResult) -> dict[str, Any] | None:
    """Return the picture of the report, or None where it has none or there is nothing to draw.

    Texts are drawn as lying bars in the order of the table, so that long names stay readable.
    """
    chart = result.report.chart
    points = _points(result)
    if chart is None or not points:
        return None
    columns = result.report.columns
    along: dict[str, Any] = {
        "field": "x",
        "type": "ordinal",
        "sort": None,
        "title": columns[chart.x].label,
    }
    amount: dict[str, Any] = {"field": "y", "type": "quantitative", "title": columns[chart.y].label}
    is_lying = columns[chart.x].format is ColumnFormat.TEXT
    if is_lying:
        along |= {"axis": {"labelLimit": 220}, "title": None}
        encoding = {"y": along, "x": amount}
    else:
        encoding = {"x": along, "y": amount}
    tooltip = [along | {"title": columns[chart.x].label}, amount | {"format": _digits(result)}]
    return {
        "height": 24 * len(points) + _AXIS if is_lying else _STANDING,
        "data": {"values": points},
        "mark": {"type": chart.type},
        "encoding": encoding | {"tooltip": tooltip},
        "description": f"{result.report.title}: the table beside it holds the same figures.",
    }


def _points(result: ReportResult) -> list[dict[str, Any]]:
    """Return what is drawn: the top of the table, as far as the chart's rows go."""
    chart = result.report.chart
    if chart is None:
        return []
    names = list(result.report.columns)
    x, y = names.index(chart.x), names.index(chart.y)
    only = names.index(chart.only) if chart.only else None
    rows = [row for row in result.rows if only is None or row[only] is not None]
    return [{"x": str(row[x]), "y": _number(row[y])} for row in rows[: chart.rows]]


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | Decimal) else None


def _digits(result: ReportResult) -> str:
    chart = result.report.chart
    is_money = chart and result.report.columns[chart.y].format is ColumnFormat.MONEY
    return ",.2f" if is_money else ",d"
