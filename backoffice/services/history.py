"""The past of one record, as the change log tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty, Session, joinedload

from backoffice.db import Base
from backoffice.models.audit import Change, ChangeSet
from backoffice.services.audit import KEYS

BEFORE, AFTER = 0, 1


def change_sets_of(
    session: Session, record: Any, *, limit: int, after: int = 0
) -> Sequence[ChangeSet]:
    """Return the newest change sets of a record with their changes of it, in one statement.

    With `after`, only those that came after the change set with this id.
    """
    newest = sa.union(*(_some(keys, limit, after) for keys in _keys(record))).subquery()
    mine = sa.or_(Change.record_id.is_(None), Change.record_id == record.id)
    statement = (
        sa.select(ChangeSet)
        .where(ChangeSet.id.in_(sa.select(newest.c.id)))
        .order_by(ChangeSet.id.desc())
        .limit(limit)
        .options(joinedload(ChangeSet.changes.and_(mine)))
    )
    return session.scalars(statement).unique().all()


def newest_change(session: Session, record: Any) -> int | None:
    """Return the id of the newest change set of a record, 0 if it has none.

    None when the record is no longer in the version in which it was loaded.
    """
    model: Any = type(record)
    newest = sa.union(*(_some(keys, 1) for keys in _keys(record))).subquery()
    found = sa.select(sa.func.coalesce(sa.func.max(newest.c.id), 0)).scalar_subquery()
    is_same = sa.and_(model.id == record.id, model.version == record.version)
    return session.scalar(sa.select(found).where(sa.exists().where(is_same)))


def newest_of_each(model: Any) -> Any:
    """Return SQL: the id of the newest change set of a row of the model, 0 if it has none."""
    of_table = ChangeSet.table_name == model.__tablename__
    alone = sa.select(sa.func.coalesce(sa.func.max(ChangeSet.id), 0))
    alone = alone.where(of_table, ChangeSet.record_id == model.id)
    among = sa.select(sa.func.coalesce(sa.func.max(Change.change_set_id), 0))
    among = among.join(Change.change_set).where(of_table, Change.record_id == model.id)
    one, other = alone.scalar_subquery(), among.scalar_subquery()
    return sa.case((one > other, one), else_=other)


def _keys(record: Any) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Return SELECTs of the change sets about a record alone, and of those about many."""
    of_table = ChangeSet.table_name == record.__tablename__
    alone = sa.select(ChangeSet.id.label("id")).where(of_table, ChangeSet.record_id == record.id)
    among = sa.select(Change.change_set_id.label("id")).join(Change.change_set)
    return alone, among.where(of_table, Change.record_id == record.id).distinct()


def _some(keys: sa.Select[Any], limit: int, after: int = 0) -> sa.Select[Any]:
    """Return the newest of the keys, as an index has them."""
    key = keys.selected_columns["id"]
    newest = keys.where(key > after).order_by(key.desc()).limit(limit).subquery()
    return sa.select(newest.c.id)


def is_told(value: Any, change: Change, side: int) -> bool:
    """Whether a value is the one before or after a change; False where the log cannot say."""
    try:
        told = keys_of(change, side) if _relation(change) else _read(change, side)
    except (LookupError, ValueError, ArithmeticError):
        return False
    return bool(_plain(value) == _plain(told))


def told_value(session: Session, change: Change, side: int) -> Any:
    """Return the value before or after a change, records found by their keys.

    Raises LookupError for a record that is gone, and ValueError where the log cannot say.
    """
    relation = _relation(change)
    if relation is None:
        return _read(change, side)
    keys = keys_of(change, side)
    if keys is None:
        return None
    model: Any = relation.mapper.class_
    wanted = keys if isinstance(keys, list) else [keys]
    found = session.scalars(sa.select(model).where(model.id.in_(wanted)).order_by(model.id)).all()
    if len(found) != len(wanted):
        raise LookupError(change.field)
    return list(found) if relation.uselist else found[0]


def keys_of(change: Change, side: int) -> Any:
    """Return the keys that a relation led to; raises LookupError if the log has none."""
    details: dict[str, Any] = change.change_set.details or {}
    return details[KEYS][change.field][side]


def _relation(change: Change) -> RelationshipProperty[Any] | None:
    found = _model(change)
    attribute = sa.inspect(found).attrs.get(change.field) if found else None
    return attribute if isinstance(attribute, RelationshipProperty) else None


def _model(change: Change) -> type[Base] | None:
    for mapper in Base.registry.mappers:
        if mapper.class_.__tablename__ == change.change_set.table_name:
            return mapper.class_
    return None


def _read(change: Change, side: int) -> Any:
    """Return the value of a column from its text; raises ValueError for what text cannot say."""
    model = _model(change)
    column = model.__table__.columns.get(change.field) if model else None
    text = change.old_value if side == BEFORE else change.new_value
    if column is None:
        raise ValueError(change.field)
    if text is None:
        return None
    enum = getattr(column.type, "enum_class", None)
    return enum(text) if enum else _parse(column.type.python_type, text)


def _parse(kind: type[Any], text: str) -> Any:
    if kind is bool:
        return {"True": True, "False": False}[text]
    if kind in (date, datetime):
        return kind.fromisoformat(text)
    if kind in (Decimal, int, str):
        return kind(text)
    raise ValueError(kind.__name__)


def _plain(value: Any) -> Any:
    """Return what can be compared: records by their keys, text by its lines."""
    match value:
        case Base():
            return value.id  # type: ignore[attr-defined]
        case list():
            return sorted(_plain(item) for item in value)
        case str():
            return value.replace("\r\n", "\n")
        case _:
            return value


def is_same(one: Any, other: Any) -> bool:
    """Whether two values of a field are the same to a person; records by their keys."""
    one, other = (None if side in ("", []) else _plain(side) for side in (one, other))
    return bool(one == other)
