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

    def page(
        self, rows: sa.Select[Any], position: Position | None, size: int, *, reverse: bool = False
    ) -> sa.Select[Any]:
        """Return so many of the rows from a position on, with `sort_value` and `sort_key`."""
        if self.column.is_nullable:
            return self._joined_page(rows, position, size, reverse=reverse)
        if position is not None:
            rows = rows.where(self._beyond(position, reverse=reverse))
        value, key = self.column.attribute.label("sort_value"), self.key.label("sort_key")
        return rows.add_columns(value, key).order_by(*self.clauses(reverse=reverse)).limit(size)

    def _joined_page(
        self, rows: sa.Select[Any], position: Position | None, size: int, *, reverse: bool
    ) -> sa.Select[Any]:
        """Find the keys of the rows with a value and of those without apart.

        One condition for both would keep a database from starting in the middle of an index.
        """
        keys = rows.with_only_columns(self.key.label("sort_key"), maintain_column_froms=True)
        parts = self._parts(keys, position, reverse=reverse)
        limited = [sa.select(part.limit(size).subquery()) for part in parts]
        found = (sa.union_all(*limited) if len(limited) > 1 else limited[0]).subquery("page")
        down = self.is_descending != reverse
        entity = rows.column_descriptions[0]["entity"]
        return (
            sa.select(entity, found.c.sort_value, found.c.sort_key)
            .join(found, found.c.sort_key == self.key)
            .order_by(
                *(
                    column.desc() if down else column.asc()
                    for column in (found.c.is_empty, found.c.sort_value, found.c.sort_key)
                )
            )
            .limit(size)
        )

    def _parts(
        self, keys: sa.Select[Any], position: Position | None, *, reverse: bool
    ) -> list[sa.Select[Any]]:
        """Return the rows with a value and those without, as far as they can come next."""
        down = self.is_descending != reverse
        at_empty = position is not None and position[0] is None
        with_value, without = self._with_value(keys, down=down), self._without_value(keys, down)
        if position is not None and at_empty:
            without = without.where(self.key < position[1] if down else self.key > position[1])
        elif position is not None:
            with_value = with_value.where(self._beyond(position, reverse=reverse))
        if position is None or (at_empty == down):
            return [with_value, without]
        return [without] if at_empty else [with_value]

    def _with_value(self, keys: sa.Select[Any], *, down: bool) -> sa.Select[Any]:
        attribute = self.column.attribute
        if self.column.relation is not None:
            keys = keys.join(self.column.relation)
        return (
            keys.add_columns(attribute.label("sort_value"), sa.literal(0).label("is_empty"))
            .where(attribute.is_not(None))
            .order_by(*((c.desc() if down else c.asc()) for c in (attribute, self.key)))
        )

    def _without_value(self, keys: sa.Select[Any], down: bool) -> sa.Select[Any]:
        attribute = self.column.attribute
        nothing = sa.cast(sa.null(), attribute.type).label("sort_value")
        keys = keys.add_columns(nothing, sa.literal(1).label("is_empty"))
        if self.column.relation is not None:
            keys = keys.outerjoin(self.column.relation)
        return keys.where(attribute.is_(None)).order_by(self.key.desc() if down else self.key.asc())

    def _beyond(self, position: Position, *, reverse: bool) -> Any:
        """Return the condition for the rows after a position that has a value, or before it."""
        value, key = position
        down = self.is_descending != reverse
        if self._by_key_alone:
            return self.key < key if down else self.key > key
        attribute = self.column.attribute
        literal = sa.literal(value, attribute.type)
        # Row values: the form that an index answers.
        here, there = (
            sa.tuple_(attribute, self.key),
            sa.tuple_(literal, sa.literal(key, self.key.type)),
        )
        beyond = here < there if down else here > there
        if self.column.relation is None:
            return beyond
        # No index has columns of two tables; that of the other one needs its own bound.
        return sa.and_(attribute <= literal if down else attribute >= literal, beyond)


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
