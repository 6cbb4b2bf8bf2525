"""One value of an exported row as text, the same whichever database it came from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

# A spreadsheet takes a text that begins like this for a formula.
FORMULA_STARTS = "=+-@\t\r"


def guarded(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula: with an apostrophe before."""
    return f"'{text}" if text[:1] and text[0] in FORMULA_STARTS else text


def moment_text(value: datetime) -> str:
    """Return a moment in UTC by ISO 8601, with as many decimals of the second as it needs."""
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def plain(value: Any) -> Any:
    """Return the value as one of None, bool, int, Decimal, date, datetime and str."""
    if value is None or isinstance(value, bool | int | Decimal | date | datetime):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
