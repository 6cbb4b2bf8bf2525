"""Which rows of another table are edited in a record's form, and by which of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_admin import Admin
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty
from wtforms import BooleanField

from backoffice.db import Base


@dataclass(frozen=True, slots=True)
class Part:
    """What a relation leads to, one row or several, edited by fields of its own view's form.

    `columns` are the fields that are shown, by default all of the other view's. Rows too
    many for a form are left to their own list.
    """

    relation: str
    endpoint: str
    title: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedPart:
    """A part, with what its names stand for: the other view, its key that leads here, and back."""

    relation: str
    title: str
    view: Any
    columns: tuple[str, ...]
    many: bool
    key: Any
    back: str
    form_class: type[Any]


def resolve_parts(admin: Admin) -> None:
    """Find what the parts of all views stand for; raise TypeError for one that cannot work."""
    views: dict[str, Any] = {view.endpoint: view for view in admin._views}  # noqa: SLF001
    for view in views.values():
        if parts := getattr(view, "parts", ()):
            view.resolved_parts = [_resolve(view.model, part, views) for part in parts]


def _resolve(model: type[Base], part: Part, views: dict[str, Any]) -> ResolvedPart:
    view = views[part.endpoint]
    prop: RelationshipProperty[Any] = getattr(model, part.relation).property
    name = f"{model.__name__}.{part.relation}"
    if prop.mapper.class_ is not view.model or not prop.back_populates:
        raise TypeError(f"{name} does not lead to {part.endpoint} and back.")
    if prop.direction is not RelationshipDirection.ONETOMANY:
        raise TypeError(f"{name} leads to what does not belong to it: declare a picker.")
    columns = part.columns or tuple(view.form_columns)
    if not view.write or not set(columns) <= set(view.form_columns):
        raise TypeError(f"{name}: {part.endpoint} has no form with {', '.join(columns)}.")
    if prop.uselist and set(columns) & set(view.pickers):
        raise TypeError(f"{name}: a picker in each of many rows would ask for each of them.")
    ((_, remote),) = prop.local_remote_pairs
    key = getattr(view.model, prop.mapper.get_property_by_column(remote).key)
    return ResolvedPart(
        part.relation, part.title, view, columns, bool(prop.uselist), key, prop.back_populates,
        _form_class(view, columns),
    )  # fmt: skip


def _form_class(view: Any, columns: tuple[str, ...]) -> type[Any]:
    """Return the other view's form without the fields that are not shown."""
    left_out = dict.fromkeys(set(view.form_columns) - set(columns))
    return type("PartForm", (view._edit_form_class,), left_out | {"remove": BooleanField("Delete")})  # noqa: SLF001
