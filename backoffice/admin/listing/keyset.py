"""Paging by position in the order instead of by number: as quick on the last page as on the first.

The order is the sort column, then the key. NULLs come last going up and first going down, which is
what PostgreSQL's indexes hold.
"""

from __future__ import annotations

from collections.abc import Iterable
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
        self,
        rows: sa.Select[Any],
        position: Position | None,
        size: int,
        *,
        reverse: bool = False,
        has_empty: bool = True,
    ) -> sa.Select[Any]:
        """Return so many of the rows from a position on, with `sort_value` and `sort_key`.

        `has_empty` is false where the rows are known to have a value in the column.
        """
        if self.column.is_nullable:
            return self._joined_page(rows, position, size, reverse=reverse, has_empty=has_empty)
        if position is not None:
            rows = rows.where(self._beyond(position, down=self.is_descending != reverse))
        value, key = self.column.attribute.label("sort_value"), self.key.label("sort_key")
        return rows.add_columns(value, key).order_by(*self.clauses(reverse=reverse)).limit(size)

    def _joined_page(
        self,
        rows: sa.Select[Any],
        position: Position | None,
        size: int,
        *,
        reverse: bool,
        has_empty: bool,
    ) -> sa.Select[Any]:
        """Find the keys of the rows with a value and of those without apart.

        One condition for both would keep a database from starting in the middle of an index.
        """
        down = self.is_descending != reverse
        keys = rows.with_only_columns(self.key.label("sort_key"), maintain_column_froms=True)
        parts = []
        if position is None or position[0] is not None or down:
            parts.append(self._with_value(keys, position, down=down))
        if has_empty and (position is None or position[0] is None or not down):
            parts.append(self._without_value(keys, position, down=down))
        limited = [sa.select(part.limit(size).subquery()) for part in parts]
        found = (sa.union_all(*limited) if len(limited) > 1 else limited[0]).subquery("page")
        entity = rows.column_descriptions[0]["entity"]
        order = (found.c.is_empty, found.c.sort_value, found.c.sort_key)
        return (
            sa.select(entity, found.c.sort_value, found.c.sort_key)
            .join(found, found.c.sort_key == self.key)
            .order_by(*_directed(order, down=down))
            .limit(size)
        )

    def _with_value(
        self, keys: sa.Select[Any], position: Position | None, *, down: bool
    ) -> sa.Select[Any]:
        attribute = self.column.attribute
        if self.column.relation is not None:
            keys = keys.join(self.column.relation)
        if position is not None and position[0] is not None:
            keys = keys.where(self._beyond(position, down=down))
        return (
            keys.add_columns(attribute.label("sort_value"), sa.literal(0).label("is_empty"))
            .where(attribute.is_not(None))
            .order_by(*_directed((attribute, self.key), down=down))
        )

    def _without_value(
        self, keys: sa.Select[Any], position: Position | None, *, down: bool
    ) -> sa.Select[Any]:
        attribute, relation = self.column.attribute, self.column.relation
        is_empty = attribute.is_(None)
        if relation is not None and not attribute.property.columns[0].nullable:
            # Then nothing but the missing row makes it empty, and that is in the key to it.
            is_empty = sa.and_(*(column.is_(None) for column in relation.property.local_columns))
        elif relation is not None:
            keys = keys.outerjoin(relation)
        if position is not None and position[0] is None:
            keys = keys.where(self.key < position[1] if down else self.key > position[1])
        nothing = sa.cast(sa.null(), attribute.type).label("sort_value")
        return (
            keys.add_columns(nothing, sa.literal(1).label("is_empty"))
            .where(is_empty)
            .order_by(*_directed((self.key,), down=down))
        )

    def _beyond(self, position: Position, *, down: bool) -> Any:
        """Return the condition for the rows below a position that has a value, or above it."""
        value, key = position
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


def _directed(columns: Iterable[Any], *, down: bool) -> list[Any]:
    return [column.desc() if down else column.asc() for column in columns]


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
