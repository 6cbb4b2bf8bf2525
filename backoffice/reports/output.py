"""A result as CSV, as JSON and as a table of text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from backoffice.formats.csv_export import csv_line
from backoffice.reports.result import Cell, ReportResult

# A spreadsheet takes a text that begins like this for a formula.


def as_csv(result: ReportResult) -> str:
    """Return header and rows, values as they are; texts cannot be taken for formulas."""
    return "".join(map(csv_line, [list(result.report.columns), *result.rows]))


def as_json(result: ReportResult) -> str:
    """Return an object with the rows by column name; money is a number with two decimals."""
    report = result.report
    return _json(
        {
            "report": report.slug,
            "title": report.title,
            "parameters": {name: str(value) for name, value in result.values.items()},
            "as_of": result.as_of.isoformat(timespec="seconds"),
            "seconds": round(result.seconds, 3),
            "is_cut": result.is_cut,
            "columns": list(report.columns),
            "rows": [dict(zip(report.columns, row, strict=True)) for row in result.rows],
            "totals": result.totals(),
        }
    )


def as_table(result: ReportResult) -> str:
    """Return aligned columns, with the totals at the foot."""
    columns = list(result.report.columns.items())
    body = [[_plain(cell) for cell in row] for row in result.rows]
    if result.has_totals:
        totals = result.totals()
        body.append([_plain(totals[name]) if name in totals else "" for name, _ in columns])
        body[-1][0] = body[-1][0] or "Total"
    lines = [[name for name, _ in columns], *body]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    right = [column.format.is_number for _, column in columns]
    ruled = [lines[0], ["-" * width for width in widths], *body]
    return "".join(_aligned(line, widths, right) + "\n" for line in ruled)


def cut_notice(result: ReportResult) -> str:
    """Return the sentence that says where the result was cut, or nothing."""
    if not result.is_cut:
        return ""
    return f"Cut at {result.report.limits.rows:,} rows: there are more, and totals leave them out."


def shown(cell: Cell) -> str:
    """Return the cell as the page shows it: thousands apart, nothing as a dash."""
    if cell is None:
        return "—"
    if isinstance(cell, Decimal | int):
        return f"{cell:,}"
    return str(cell)


def _plain(cell: Cell) -> str:
    return "" if cell is None else re.sub(r"[\x00-\x1f\x7f]", " ", str(cell))


def _aligned(line: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        text.rjust(width) if is_number else text.ljust(width)
        for text, width, is_number in zip(line, widths, right, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _json(value: Any) -> str:
    """Like json.dumps, which can only write a Decimal as a string or as a float."""
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(key)}:{_json(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(str(value))
