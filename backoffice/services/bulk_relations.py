"""What can be done to what many records lead to: one category for all, one tag more or less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipProperty, Session

from backoffice.access import Actor
from backoffice.db import Base
from backoffice.errors import RuleViolationError
from backoffice.services.bulk_actions import BulkAction, Chunk, Options, Row, Sealed


@dataclass(frozen=True, kw_only=True)
class SetRelated(BulkAction):
    """Sets a many-to-one relation to the record with the key `options["key"]`."""

    relation: Any

    @property
    def field(self) -> str:
        """The relation."""
        return str(self.relation.key)

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the related record now and the chosen one."""
        name = sa.select(self._name).where(self._target.id == self._key).scalar_subquery()
        return Sealed(name, sa.literal(options["label"], sa.Text), self._key, _big(options["key"]))

    def write(self, chunk: Chunk) -> None:
        """Set the foreign key to what the plan says."""
        new = Row.before_key if chunk.is_undo else Row.after_key
        statement = self.touch(**{self._key.key: new})
        chunk.run(statement.where(self.model.id == Row.record_id, chunk.rows))

    def require(self, session: Session, options: Options) -> None:
        """Raise RuleViolationError when the chosen record is no more."""
        require_row(session, self._target, options)

    def stands(self, options: Options) -> Any:
        """Whether the relation still leads to the chosen record."""
        return self._key.is_not_distinct_from(Row.after_key)

    def stuck(self, options: Options) -> Any:
        """Say so when what it led to is no more."""
        is_there = sa.exists().where(self._target.id == Row.before_key)
        is_gone = sa.and_(Row.before_key.is_not(None), ~is_there)
        return sa.case((is_gone, Row.before + sa.literal(", which it was, is no more.")))

    @property
    def _target(self) -> Any:
        return self.relation.property.mapper.class_

    @property
    def _name(self) -> Any:
        return self._target.name

    @property
    def _key(self) -> Any:
        prop: RelationshipProperty[Any] = self.relation.property
        (column,) = prop.local_columns
        return getattr(self.model, prop.parent.get_property_by_column(column).key)


@dataclass(frozen=True, kw_only=True)
class LinkRelated(BulkAction):
    """Adds the record with the key `options["key"]` to a many-to-many relation, or takes it out."""

    relation: Any
    adds: bool

    @property
    def field(self) -> str:
        """The relation."""
        return str(self.relation.key)

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the names of all that are linked, now and then."""
        target, key = self._target, _big(options["key"])
        links = sa.select(self._there).where(self._here == self.model.id).correlate(self.model)
        linked = target.id.in_(links)
        then = sa.or_(linked, target.id == key) if self.adds else sa.and_(linked, target.id != key)
        return Sealed(self._names(linked), self._names(then))

    def write(self, chunk: Chunk) -> None:
        """Add the links that are missing, or delete them."""
        key = _big(chunk.plan.options["key"])
        if self.adds != chunk.is_undo:
            missing = chunk.keys.add_columns(key).where(~self._link(Row.record_id, key))
            columns = [self._here.name, self._there.name]
            chunk.run(sa.insert(self._links).from_select(columns, missing))
        else:
            links = sa.delete(self._links).where(self._there == key)
            chunk.run(links.where(self._here.in_(chunk.keys)))
        chunk.run(self.touch().where(self.model.id.in_(chunk.keys)))

    def require(self, session: Session, options: Options) -> None:
        """Raise RuleViolationError when what is to be added is no more."""
        if self.adds:
            require_row(session, self._target, options)

    def stands(self, options: Options) -> Any:
        """Whether the link is still as the plan left it."""
        link = self._link(self.model.id, _big(options["key"]))
        return link if self.adds else ~link

    def stuck(self, options: Options) -> Any:
        """Say so when what was taken out is no more."""
        is_there = sa.exists().where(self._target.id == _big(options["key"]))
        gone = sa.literal(f"{options['label']} is no more.", sa.Text)
        return sa.null() if self.adds else sa.case((~is_there, gone))

    def _names(self, condition: Any) -> Any:
        inner = sa.select(self._target.name).where(condition).order_by(self._target.name)
        names = inner.correlate(self.model).subquery()
        joined = sa.func.aggregate_strings(names.c.name, ", ")
        return sa.select(joined).select_from(names).scalar_subquery()

    def _link(self, record: Any, key: Any) -> Any:
        return sa.exists().where(self._here == record, self._there == key)

    @property
    def _target(self) -> Any:
        return self.relation.property.mapper.class_

    @property
    def _links(self) -> Any:
        return self.relation.property.secondary

    @property
    def _here(self) -> Any:
        return self.relation.property.synchronize_pairs[0][1]

    @property
    def _there(self) -> Any:
        return self.relation.property.secondary_synchronize_pairs[0][1]


def require_row(session: Session, model: type[Base], options: Options) -> None:
    """Raise RuleViolationError when the record with the key `options["key"]` is no more."""
    if session.get(model, options["key"]) is None:
        raise RuleViolationError(f"{options['label']} is no more. Nothing was changed.")


def _big(key: int) -> Any:
    return sa.literal(key, sa.BigInteger)
