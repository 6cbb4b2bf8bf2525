"""What the database refused, in words, at the field it is about."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import IntegrityError

_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (\w+)")


def constraint_name(error: IntegrityError) -> str | None:
    """Return the name of the violated constraint, by our naming convention; None if unknown."""
    named = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if named:
        return str(named)
    text = str(error.orig)
    if match := _SQLITE_CHECK.search(text):
        return match[1]
    if text.startswith("UNIQUE constraint failed: "):
        columns = [name.strip() for name in text.partition(": ")[2].split(",")]
        table = columns[0].split(".")[0]
        return "_".join(["uq", table, *(column.split(".")[-1] for column in columns)])
    return None


def explain(error: IntegrityError, form: Any) -> bool:
    """Put a sentence at the field that the violated constraint is about; False if there is none."""
    name = constraint_name(error) or ""
    for field in form:
        # The second form is that of a partial index: unique only among some rows.
        if re.match(rf"uq_\w+_{field.short_name}(_of_\w+)?$", name):
            field.errors = [*field.errors, "This is taken already. Choose another."]
            return True
        if name.startswith("ck_") and f"_{field.short_name}_" in name:
            field.errors = [*field.errors, "This value is not allowed here."]
            return True
    return False
