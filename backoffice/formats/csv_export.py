"""Rows as CSV: UTF-8, safe to open in a spreadsheet, in constant memory.

Written exactly as PostgreSQL's COPY writes it, so that a file does not tell which made it: a cell
is quoted when it must be, nothing stands for NULL, and `""` for a text without characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backoffice.formats.cells import guarded, moment_text, plain

CHUNK_CHARACTERS = 65_536
_TO_QUOTE = re.compile('[",\r\n]')


def csv_line(cells: Sequence[Any]) -> str:
    """Return one line; text in it is no formula."""
    return ",".join(map(_cell, cells)) + "\n"


def csv_chunks(rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield the rows in pieces of about 64 kB; a piece ends with a line."""
    lines: list[str] = []
    size = 0
    for row in rows:
        lines.append(csv_line(row))
        size += len(lines[-1])
        if size >= CHUNK_CHARACTERS:
            yield "".join(lines).encode()
            lines, size = [], 0
    if lines:
        yield "".join(lines).encode()


def _cell(value: Any) -> str:
    """Return numbers and days as they are, moments in UTC, and text that is no formula."""
    match plain(value):
        case None:
            return ""
        case bool() as flag:
            return "true" if flag else "false"
        case datetime() as moment:
            return moment_text(moment)
        case date() as day:
            return day.isoformat()
        case Decimal() as number:
            return f"{number:f}"
        case int() as number:
            return str(number)
        case text:
            return _quoted(guarded(text))


def _quoted(text: str) -> str:
    if text and not _TO_QUOTE.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
