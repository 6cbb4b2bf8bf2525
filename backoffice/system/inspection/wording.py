"""Statements as they may be shown: what they look for, without the values, which are people's."""

from __future__ import annotations

import re

# From left to right, so that a quote within a comment opens nothing. What a server cut off has no
# end; what is open runs to the end of the text.
_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<value>   \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
                 | \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
                 | (?:\b[bBxXnN])?'(?:[^']|'')*(?:'|\Z)
                 | (?<![\w$.])[0-9][\w.]*  )
    | (?P<name>    "(?:[^"]|"")*(?:"|\Z) )
    """,
    re.DOTALL | re.VERBOSE,
)


def without_values(statement: str) -> str:
    """Return the statement on one line, with ? for each value and without comments."""
    bare = _TOKEN.sub(_bare, statement)
    return " ".join(bare.split())


def _bare(found: re.Match[str]) -> str:
    if found["comment"]:
        return " "
    return "?" if found["value"] else found[0]
