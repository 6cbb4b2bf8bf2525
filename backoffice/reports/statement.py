"""What a report's SQL may look like; the database's own means are what enforces it (runner)."""

from __future__ import annotations

import re

import sqlalchemy as sa

# Strings, quoted names, dollar quotes and comments hold no code; what is left of them is a blank.
_NOT_CODE = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/", re.DOTALL
)
_FORBIDDEN = re.compile(
    r"\b(insert|update|delete|merge|truncate|drop|alter|create|grant|revoke|copy|call|do|into|lock"
    r"|attach|detach|pragma|vacuum|begin|commit|rollback|savepoint|set|reset|listen|notify)\b",
    re.IGNORECASE,
)


def statement_problems(sql: str, declared: set[str]) -> list[str]:
    """Return what is wrong with the SQL, one sentence each; `declared` are the parameters."""
    code = _NOT_CODE.sub(" ", sql).strip().removesuffix(";")
    problems = []
    if ";" in code:
        problems.append("It holds more than one statement.")
    if not re.match(r"(select|with)\b", code.lstrip(), re.IGNORECASE):
        problems.append("It does not begin with SELECT or WITH.")
    if found := _FORBIDDEN.search(code):
        problems.append(f"It holds {found[0].upper()}, which a report must not.")
    used = set(sa.text(sql).compile().params)
    problems += [f"It uses :{name}, which is not declared." for name in sorted(used - declared)]
    problems += [f"It declares {name}, which is not used." for name in sorted(declared - used)]
    return problems
