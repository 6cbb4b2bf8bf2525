"""A statement is shown without the values in it: they are people's data."""

from __future__ import annotations

import pytest

from backoffice.system.inspection.wording import without_values


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT  *\n FROM users WHERE id = 42", "SELECT * FROM users WHERE id = ?"),
        ("SELECT 'it''s', 1.5e3", "SELECT ?, ?"),
        ("SELECT E'a\\'b' , 'c'", "SELECT ? , ?"),
        ("SELECT $$Ada$$, $x$Ada $$ L.$x$", "SELECT ?, ?"),
        ("SELECT 1 -- Ada's order\n, 'x'", "SELECT ? , ?"),
        ("SELECT /* Ada's */ 'x'", "SELECT ?"),
        ("SELECT \"a'b\", 'c' FROM t1", 'SELECT "a\'b", ? FROM t1'),
        ("SELECT $1, col2 FROM t", "SELECT $1, col2 FROM t"),
        ("SELECT * FROM users WHERE email = 'ada@exam", "SELECT * FROM users WHERE email = ?"),
    ],
)
def test_no_value_is_left(statement: str, shown: str) -> None:
    assert without_values(statement) == shown
