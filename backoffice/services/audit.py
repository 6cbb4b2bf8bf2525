"""The change log: every write records itself in its own transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import Base
from backoffice.models.audit import Change, ChangeSet

SECRET_FIELDS = frozenset({"password_hash"})
# Under which key of its details a change set keeps the keys of the records that were told by name.
KEYS = "keys"
_UNTOLD_FIELDS = frozenset({"version", "created_at", "updated_at"})

_CHANGE_SETS = cast("sa.Table", ChangeSet.__table__)
_CHANGES = cast("sa.Table", Change.__table__)
_INSERT_CHANGE_SET = sa.insert(_CHANGE_SETS).returning(_CHANGE_SETS.c.id)
# What is returned makes it one statement for all rows.
_INSERT_CHANGES = sa.insert(_CHANGES).returning(_CHANGES.c.id)
Differences = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What changed of a row that belongs to the subject, by the relation that leads to it."""

    relation: str
    record: Base
    changes: Differences


def differences(session: Session, record: Base) -> Differences:
    """Return {field: (before, after)} of the unflushed edits of `record`, and keep them unflushed.

    Foreign keys are told by their relation; of collections, only the many-to-many ones.
    """
    changed: Differences = {}
    with session.no_autoflush:
        for attribute in sa.inspect(record).mapper.attrs:
            if attribute.key in _UNTOLD_FIELDS or attribute.key.endswith("_id"):
                continue
            before, after = _sides(session, record, attribute)
            # Not as they are told: two categories may have one name.
            if before != after:
                changed[attribute.key] = (before, after)
    return changed


def _sides(session: Session, record: Base, attribute: Any) -> tuple[Any, Any]:
    """Return the value before and after the edits; equal ones when there are none."""
    history = sa.inspect(record).attrs[attribute.key].history
    is_relation = isinstance(attribute, sa.orm.RelationshipProperty)
    if not history.has_changes():
        return None, None
    if is_relation and attribute.direction is sa.orm.RelationshipDirection.ONETOMANY:
        return None, None
    if is_relation and attribute.uselist:
        kept = list(history.unchanged or ())
        return kept + list(history.deleted or ()), kept + list(history.added or ())
    before = next(iter(history.deleted or ()), None)
    if before is None and is_relation:
        before = _not_loaded(session, record, attribute)
    return before, next(iter(history.added or ()), None)


def _not_loaded(session: Session, record: Base, relation: Any) -> Any:
    """Return what a many-to-one relation led to before; the history knows only what was loaded."""
    if not sa.inspect(record).persistent:
        return None
    key = tuple(getattr(record, column.key) for column in relation.local_columns)
    return None if None in key else session.get(relation.mapper.class_, key)


def snapshot(record: Base) -> Differences:
    """Return what a deletion takes away: every filled column, and links of many to many."""
    mapper = sa.inspect(record).mapper
    linked = [
        relation
        for relation in mapper.relationships
        if relation.direction is sa.orm.RelationshipDirection.MANYTOMANY
    ]
    names = [attribute.key for attribute in (*mapper.column_attrs, *linked)]
    values = {name: getattr(record, name) for name in names}
    return {name: (value, None) for name, value in values.items() if value not in (None, [])}


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: Base | None = None,
    *,
    changes: Differences | None = None,
    parts: Sequence[Told] = (),
    reason: str | None = None,
    details: dict[str, Any] | None = None,
    form_key: str | None = None,
) -> ChangeSet:
    """Write one change set into the caller's transaction; `subject` must have its id."""
    keys = _keys(changes or {})
    change_set = ChangeSet(
        actor_id=actor.user_id,
        actor_name=actor.name,
        source=actor.source,
        action=action,
        reason=reason,
        table_name=subject.__tablename__ if subject is not None else None,
        record_id=getattr(subject, "id", None),
        record_label=str(subject)[:300] if subject is not None else None,
        details=(details or {}) | {KEYS: keys} if keys else details,
        form_key=form_key,
        changes=[*_rows("", changes or {})]
        + [row for part in parts for row in _rows(f"{part.relation}.", part.changes)],
    )
    session.add(change_set)
    return change_set


def record_row(
    session: Session,
    actor: Actor,
    action: str,
    row: Mapping[str, Any],
    model: type[Base],
    changes: Differences,
    details: dict[str, Any],
) -> None:
    """Write one change set about a row that was made without its object, by two statements.

    The row has its `id` and is called by its `number`.
    """
    made = {
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "source": actor.source,
        "action": action,
        "table_name": model.__tablename__,
        "record_id": row["id"],
        "record_label": row["number"],
        "details": details,
    }
    key = session.scalar(_INSERT_CHANGE_SET, made)
    told = [
        {"change_set_id": key, "field": field, "old_value": old, "new_value": new}
        for field, old, new in _all_told(changes)
    ]
    session.execute(_INSERT_CHANGES, told)


def _rows(prefix: str, changes: Differences) -> Iterator[Change]:
    for field, old, new in _all_told(changes):
        yield Change(field=f"{prefix}{field}", old_value=old, new_value=new)


def record_many(session: Session, change_set_id: int, of: Mapping[int, Differences]) -> None:
    """Write the changes of many records, by their ids, into one change set: one statement."""
    rows = [
        {
            "change_set_id": change_set_id,
            "record_id": key,
            "field": field,
            "old_value": old,
            "new_value": new,
        }
        for key, changes in of.items()
        for field, old, new in _all_told(changes)
    ]
    if rows:
        session.execute(sa.insert(Change), rows)


def _all_told(changes: Differences) -> Iterator[tuple[str, str | None, str | None]]:
    """Give the changes as text; records of one name are told apart by their keys."""
    for field, sides in changes.items():
        old, new = (_hidden(field, side) for side in sides)
        if old == new and all(isinstance(side, Base) for side in sides):
            old, new = (f"{side} (id {side.id})" for side in sides)
        yield field, old, new


def _keys(changes: Differences) -> dict[str, list[Any]]:
    """Return {field: [keys before, keys after]} of relations: names alone do not lead back."""
    return {
        field: [_key(side) for side in sides]
        for field, sides in changes.items()
        if any(isinstance(side, Base | list) for side in sides)
    }


def _key(side: Any) -> Any:
    if isinstance(side, list):
        return sorted(item.id for item in side)
    return side.id if side is not None else None


def _hidden(field: str, value: Any) -> str | None:
    return "•••" if field in SECRET_FIELDS and value is not None else _told(value)


def _told(value: Any) -> str | None:
    """Return a value as the change log keeps it."""
    match value:
        case None:
            return None
        case Enum():
            return str(value.value)
        case datetime():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case list():
            return ", ".join(sorted(str(item) for item in value))
        case _:
            return str(value)
