"""Names of columns, as views declare them and URLs carry them, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty

from backoffice.db import Base


@dataclass(frozen=True, slots=True)
class SortColumn:
    """A column to sort by; `relation` is joined for it when it belongs to another table."""

    name: str
    attribute: Any
    relation: Any = None

    @property
    def is_nullable(self) -> bool:
        """Whether NULLs can occur, in the column itself or because nothing is joined."""
        return self.relation is not None or bool(self.attribute.property.columns[0].nullable)


def attribute_of(model: type[Base], name: str) -> Any:
    """Return the mapped attribute; raise TypeError for a name that the model does not have."""
    found = sa.inspect(model).attrs.get(name)
    if found is None:
        raise TypeError(f"{model.__name__} has no column or relation {name!r}.")
    return getattr(model, name)


def sort_column(model: type[Base], declared: str | tuple[str, Any]) -> SortColumn:
    """Return what a declared name sorts by: itself, or (relation name, column of the other table).

    Raises TypeError for a relation without a column.
    """
    name, target = (declared, None) if isinstance(declared, str) else declared
    attribute = attribute_of(model, name)
    if target is not None:
        return SortColumn(name, target, attribute)
    if isinstance(attribute.property, RelationshipProperty):
        raise TypeError(f"{model.__name__}.{name}: say which column of it sorts: ({name!r}, …).")
    return SortColumn(name, attribute)


def python_type(attribute: Any) -> type[Any]:
    """Return the Python type of a column's values."""
    found: type[Any] = attribute.type.python_type
    return found


def largest_int(attribute: Any) -> int:
    """Return the largest number that a column of whole numbers can hold, or be compared with."""
    return 2**63 - 1 if isinstance(attribute.type, sa.BigInteger) else 2**31 - 1


def to_text(value: Any) -> Any:
    """Return a value as JSON can carry it in a cursor."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return getattr(value, "value", value)


def from_text(attribute: Any, text: Any) -> Any:
    """Return the value that `to_text` made the text of; raise ValueError or TypeError if not."""
    if text is None:
        return None
    kind = getattr(attribute.type, "enum_class", None) or python_type(attribute)
    return kind.fromisoformat(text) if kind in (datetime, date) else kind(text)
