"""From a declared name to the filter that its column calls for."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import RelationshipProperty

from backoffice.admin.listing.columns import attribute_of, python_type
from backoffice.admin.listing.filters import (
    ChoiceFilter,
    DayFilter,
    Filter,
    NumberFilter,
    RelationFilter,
    TextFilter,
    YesNoFilter,
)
from backoffice.db import Base

_BY_TYPE: dict[type[Any], type[Filter]] = {
    bool: YesNoFilter,
    date: DayFilter,
    datetime: DayFilter,
    Decimal: NumberFilter,
    int: NumberFilter,
    str: TextFilter,
}


def build_filter(model: type[Base], name: str, label: str) -> Filter:
    """Return the filter of a column or of a many-to-one relation.

    Raises TypeError for a type that has none: a view must not offer what cannot work.
    """
    attribute = attribute_of(model, name)
    if isinstance(attribute.property, RelationshipProperty):
        (column,) = attribute.property.local_columns
        key = getattr(model, attribute.property.parent.get_property_by_column(column).key)
        return RelationFilter(name, label, key, is_nullable=bool(column.nullable))
    is_nullable = bool(attribute.property.columns[0].nullable)
    if getattr(attribute.type, "enum_class", None):
        return ChoiceFilter(name, label, attribute, is_nullable=is_nullable)
    kind = _BY_TYPE.get(python_type(attribute))
    if kind is None:
        raise TypeError(f"{model.__name__}.{name}: there is no filter for {attribute.type!r}.")
    return kind(name, label, attribute, is_nullable=is_nullable)
