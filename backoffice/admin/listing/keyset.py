"""Paging by position in the order instead of by number: as quick on the last page as on the first.

The order is the sort column, then the key. NULLs come last going up and first going down, which is
what PostgreSQL's indexes hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeSerializer

from backoffice.admin.listing.columns import SortColumn, from_text, to_text

Position = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """The total order of a list: a column, a direction, and the key to break ties."""

    column: SortColumn
    is_descending: bool
    key: Any

    @property
    def name(self) -> str:
        """The order as the URL has it."""
        return f"{'-' if self.is_descending else ''}{self.column.name}"

    @property
    def _by_key_alone(self) -> bool:
        return self.column.attribute is self.key

    def clauses(self, *, reverse: bool = False) -> list[Any]:
        """Return the ORDER BY, or the one that reads the list from its end."""
        down = self.is_descending != reverse
        key = self.key.desc() if down else self.key.asc()
        if self._by_key_alone:
            return [key]
        column = self.column.attribute.desc() if down else self.column.attribute.asc()
        if self.column.is_nullable:
            column = column.nulls_first() if down else column.nulls_last()
        return [column, key]

    def beyond(self, position: Position, *, reverse: bool = False) -> Any:
        """Return the condition for the rows after a position, or before it."""
        value, key = position
        down = self.is_descending != reverse
        attribute = self.column.attribute
        if self._by_key_alone:
            return self.key < key if down else self.key > key
        if not self.column.is_nullable:
            # Row values: the form that an index answers.
            here = sa.tuple_(attribute, self.key)
            there = sa.tuple_(sa.literal(value, attribute.type), sa.literal(key, self.key.type))
            return here < there if down else here > there
        tie = self.key < key if down else self.key > key
        if value is None:
            rest = attribute.is_not(None) if down else sa.false()
            return sa.or_(sa.and_(attribute.is_(None), tie), rest)
        further = attribute < value if down else sa.or_(attribute > value, attribute.is_(None))
        return sa.or_(further, sa.and_(attribute == value, tie))


class Cursors:
    """Positions as signed text, so that nobody can ask for one that a page did not give."""

    def __init__(self, secret: str, list_name: str) -> None:
        self._signer = URLSafeSerializer(secret, salt=f"keyset:{list_name}")

    def write(self, order: Order, position: Position) -> str:
        """Return the text of a position in an order."""
        text = self._signer.dumps([order.name, to_text(position[0]), position[1]])
        return text.decode() if isinstance(text, bytes) else text

    def read(self, order: Order, text: str) -> Position | None:
        """Return the position, None for text of another order, another list or nobody."""
        try:
            name, value, key = self._signer.loads(text)
            if name != order.name or not isinstance(key, int):
                return None
            return from_text(order.column.attribute, value), key
        except (BadSignature, ValueError, TypeError, ArithmeticError):
            return None
