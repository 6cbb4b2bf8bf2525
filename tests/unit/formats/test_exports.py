"""Exported files: typed, exact, and never a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from backoffice.formats.csv_export import csv_chunks
from backoffice.formats.jsonl import jsonl_chunks
from backoffice.formats.xlsx import xlsx_chunks
from backoffice.models import OrderStatus

NOON = datetime(2026, 1, 15, 12, 30, 5, tzinfo=UTC)
Rows = Sequence[Sequence[Any]]


def csv_of(rows: Rows) -> str:
    return b"".join(csv_chunks(rows)).decode()


def jsonl_of(names: Sequence[str], rows: Rows) -> str:
    return b"".join(jsonl_chunks(names, rows)).decode()


def xlsx_of(names: Sequence[str], rows: Rows) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(xlsx_chunks("Orders", names, rows))))
    assert archive.testzip() is None
    return archive


def cells_of(rows: Rows) -> list[list[tuple[str | None, str | None, str | None]]]:
    """The rows of the sheet below its header: (type, style, content) of each cell."""
    root = ET.fromstring(xlsx_of(["a"], rows).read("xl/worksheets/sheet1.xml"))  # noqa: S314
    return [
        [(cell.get("t"), cell.get("s"), "".join(cell.itertext()) or None) for cell in row]
        for row in root.iterfind(".//{*}row")
    ][1:]


def endless() -> Iterator[tuple[int, str]]:
    number = 0
    while True:
        yield number, "text"
        number += 1


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_text_that_a_spreadsheet_would_compute_gets_an_apostrophe(start: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_of([[f"{start}1+1"]]), newline=""))

    assert row == [f"'{start}1+1"]


@pytest.mark.parametrize("text", ["a=b", "1-2", "'=x", " =x", "", "é", 'say "hi", twice'])
def test_other_text_stays_as_it_is(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_of([[text, "end"]])))

    assert row == [text, "end"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (-12, "-12"),
        (Decimal("-12.50"), "-12.50"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 1, 15), "2026-01-15"),
        (NOON, "2026-01-15T12:30:05Z"),
        (NOON.replace(microsecond=500_000), "2026-01-15T12:30:05.5Z"),
        (NOON.astimezone(timezone(timedelta(hours=9))), "2026-01-15T12:30:05Z"),
        (OrderStatus.PAID, "paid"),
        ({"a": [1]}, '"{""a"": [1]}"'),
        ("", '""'),
        ("a\rb", '"a\rb"'),
    ],
)
def test_values_in_csv(value: Any, text: str) -> None:
    assert csv_of([[1, value]]) == f"1,{text}\n"


def test_json_lines_keep_types_and_exact_decimals() -> None:
    names = ["id", "total", "at", "on", "status", "paid", "note", "details"]
    row = [7, Decimal("0.10"), NOON, NOON.date(), OrderStatus.PAID, True, None, {"a": "é"}]

    text = jsonl_of(names, [row, row])

    assert text.splitlines()[0] == (
        '{"id": 7, "total": 0.10, "at": "2026-01-15T12:30:05Z", "on": "2026-01-15", '
        '"status": "paid", "paid": true, "note": null, "details": {"a": "é"}}'
    )
    assert [json.loads(line)["id"] for line in text.splitlines()] == [7, 7]


@pytest.mark.parametrize("text", ['"', "\n", "\u2028", "=1+1", "\0"])
def test_a_line_of_json_is_one_line_whatever_is_in_it(text: str) -> None:
    lines = jsonl_of(["a"], [[text]]).split("\n")

    assert lines[1:] == [""]
    assert json.loads(lines[0]) == {"a": text}


def test_a_workbook_has_a_header_and_typed_cells() -> None:
    row = [12, Decimal("-12.50"), True, date(2026, 1, 15), NOON, "=1+1", OrderStatus.PAID, None]

    (cells,) = cells_of([row])

    assert cells == [
        (None, None, "12"),
        (None, None, "-12.50"),
        ("b", None, "1"),
        (None, "2", "46037"),
        (None, "3", "46037.5208912037"),
        ("inlineStr", None, "=1+1"),
        ("inlineStr", None, "paid"),
        (None, None, None),
    ]


def test_numbers_that_excel_would_round_are_text() -> None:
    exact, long = Decimal("9999999999999.99"), Decimal("99999999999999.99")

    assert cells_of([[exact, long, 10**15 - 1, 10**15 + 1]]) == [
        [
            (None, None, "9999999999999.99"),
            ("inlineStr", None, "99999999999999.99"),
            (None, None, "999999999999999"),
            ("inlineStr", None, "1000000000000001"),
        ]
    ]


def test_days_that_excel_does_not_know_are_text() -> None:
    old = datetime(1899, 5, 1, tzinfo=UTC)

    assert cells_of([[old.date(), old]]) == [
        [("inlineStr", None, "1899-05-01"), ("inlineStr", None, "1899-05-01T00:00:00Z")]
    ]


def test_a_workbook_survives_any_text() -> None:
    texts = ["<&>", "a\x00b", "\r\n", "  ", "_x0041_", "\ufffe", "\ud800", "x" * 40_000]

    (cells,) = cells_of([texts])

    contents = [content or "" for _, _, content in cells]
    assert contents[:7] == [
        "<&>",
        "a_x0000_b",
        "_x000D_\n",
        "  ",
        "_x005F_x0041_",
        "_xFFFE_",
        "_xD800_",
    ]
    assert (len(contents[7]), contents[7][-2:]) == (32_767, "x…")


def test_the_name_of_the_sheet_is_one_that_excel_takes() -> None:
    chunks = b"".join(xlsx_chunks("A/B: [x]*?" + "y" * 40, ["a"], []))

    book = zipfile.ZipFile(io.BytesIO(chunks)).read("xl/workbook.xml").decode()
    found = re.search(r'sheet name="([^"]*)"', book)

    assert found
    assert found[1] == "A B   x   " + "y" * 21


@pytest.mark.parametrize(
    "start",
    [csv_chunks, lambda rows: jsonl_chunks("ab", rows), lambda rows: xlsx_chunks("x", "ab", rows)],
)
def test_the_first_piece_leaves_before_the_last_row_is_there(start: Any) -> None:
    chunks = start(endless())

    pieces = [next(chunks) for _ in range(5)]
    chunks.close()

    assert all(pieces)
    assert max(map(len, pieces)) < 1_000_000


def test_the_same_rows_make_the_same_workbook() -> None:
    rows = [[1, NOON, "x"]]

    assert b"".join(xlsx_chunks("x", "abc", rows)) == b"".join(xlsx_chunks("x", "abc", rows))
