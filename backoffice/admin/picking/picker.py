"""What a picker offers: a few rows of another table, by the words that tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty, aliased

from backoffice.access import Permission
from backoffice.admin.listing.columns import attribute_of
from backoffice.db import Base
from backoffice.models.personal import is_personal, masked_name

MOST = 20
WHOLE = 50
LONGEST = 200
_NEAREST = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A row that can be chosen; `hint` tells it from others of the same label."""

    id: int
    label: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.label} · {self.hint}" if self.hint else self.label


@dataclass(frozen=True, slots=True)
class Picker:
    """How rows of `model` are found and told apart; what may be seen is for their own view to say.

    `search` names columns that each have an index, because they are searched by their beginning;
    `contains` searches inside of them as well and is for small tables. `label`, by default the
    first of `search`, and `hint` are what is shown; a hint may be one step away ("parent.name").
    `read` opens the picker to people who may not open the other table's own list. One that
    `is_masked` names nobody: rows are found and told apart by their keys.
    """

    model: type[Base]
    search: tuple[str, ...]
    label: str = ""
    hint: str = ""
    order: str = ""
    many: bool = False
    contains: bool = False
    read: Permission | None = None
    is_masked: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether the rows are told apart by what tells who a customer is."""
        names = (*self.search, self.label, self.hint)
        return any(is_personal(self.model, name) for name in names)

    def require_columns(self) -> None:
        """Raise TypeError for a column that the model does not have."""
        for name in (*self.search, self.label or self.search[0], self.order, self.hint):
            if name:
                attribute_of(self.model, name.partition(".")[0])

    def first(self, scope: sa.Select[Any], limit: int = MOST) -> sa.Select[Any]:
        """Select the first rows in their order."""
        return self._in_order(self._named(scope)).limit(limit)

    def of(self, scope: sa.Select[Any], keys: Iterable[int]) -> sa.Select[Any]:
        """Select the rows with these keys."""
        return self._in_order(self._named(scope).where(self._key.in_(list(keys))))

    def matching(self, scope: sa.Select[Any], typed: str) -> sa.Select[Any]:
        """Select at most `MOST` rows that are called what was typed, or begin so."""
        text = " ".join(typed.replace("\0", "").split())[:LONGEST]
        if not text:
            return self.first(scope)
        if self.is_masked:
            return self.of(scope, [int(word) for word in text.split() if is_key(word)][:1])
        columns = [getattr(self.model, name) for name in self.search]
        if self.contains:
            found = self._named(scope)
            for word in text.split():
                found = found.where(sa.or_(*(c.icontains(word, autoescape=True) for c in columns)))
            return self._in_order(found).limit(MOST)
        begins = sa.or_(*(column.istartswith(text, autoescape=True) for column in columns))
        near = sa.union(*(self._near(scope, column, text) for column in columns))
        return self._in_order(self._named(scope).where(self._key.in_(near), begins)).limit(MOST)

    def _near(self, scope: sa.Select[Any], column: Any, text: str) -> Any:
        """Select the keys of the rows that come next to the text, as an index has them.

        LIKE alone would read the whole table: on PostgreSQL a plain index serves it only under the
        "C" collation. Cases are tried one by one, because the index keeps them apart.
        """
        spellings = dict.fromkeys((text, text.lower(), text.upper(), text[:1].upper() + text[1:]))
        arms = []
        for spelling in spellings:
            keys = scope.with_only_columns(self._key.label("id"), maintain_column_froms=True)
            nearest = keys.where(column >= spelling).order_by(column).limit(_NEAREST).subquery()
            arms.append(sa.select(nearest.c.id))
        return sa.select(sa.union(*arms).subquery().c.id)

    @property
    def _key(self) -> Any:
        return self.model.id  # type: ignore[attr-defined]

    def _named(self, scope: sa.Select[Any]) -> sa.Select[Any]:
        """Reduce the rows to what is shown of them."""
        if self.is_masked:
            return scope.with_only_columns(
                self._key.label("id"),
                masked_name(self.model).label("label"),
                sa.literal("").label("hint"),
                maintain_column_froms=True,
            )
        label = getattr(self.model, self.label or self.search[0])
        name, _, further = self.hint.partition(".")
        hint: Any = sa.literal("") if not name else getattr(self.model, name)
        if further:
            relation: RelationshipProperty[Any] = hint.property
            other = aliased(relation.mapper.class_)
            scope = scope.outerjoin(hint.of_type(other))
            hint = getattr(other, further)
        return scope.with_only_columns(
            self._key.label("id"), label.label("label"), hint.label("hint"),
            maintain_column_froms=True,
        )  # fmt: skip

    def _in_order(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        if self.is_masked:
            return statement.order_by(self._key)
        order = getattr(self.model, self.order or self.label or self.search[0])
        return statement.order_by(order, self._key)


def is_key(text: str) -> bool:
    """Whether the text can be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63
