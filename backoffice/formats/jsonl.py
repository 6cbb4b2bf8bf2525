"""Rows as JSON Lines: one object a line, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from backoffice.formats.cells import moment_text, plain

CHUNK_CHARACTERS = 65_536
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def jsonl_chunks(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield the rows as objects by column name, in pieces of about 64 kB that end with a line.

    A decimal is a number with all its places, never a float; a JSON column stays JSON.
    """
    keys = [f"{_quoted(name)}: " for name in names]
    lines: list[str] = []
    size = 0
    for row in rows:
        cells = [key + _value(value) for key, value in zip(keys, row, strict=True)]
        lines.append("{" + ", ".join(cells) + "}\n")
        size += len(lines[-1])
        if size >= CHUNK_CHARACTERS:
            yield "".join(lines).encode()
            lines, size = [], 0
    if lines:
        yield "".join(lines).encode()


def _value(value: Any) -> str:
    match value:
        case Enum() | str():
            return _quoted(plain(value))
        case datetime():
            return f'"{moment_text(value)}"'
        case date():
            return f'"{value.isoformat()}"'
        case Decimal():
            return f"{value:f}"
        case None | bool() | int() | dict() | list():
            return _quoted(value)
        case _:
            return _quoted(str(value))
