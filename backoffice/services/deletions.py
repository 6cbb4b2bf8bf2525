"""Deleting: what leads to a record by foreign keys, and deleting many records by a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backoffice.access import Actor
from backoffice.db import Base
from backoffice.services import audit
from backoffice.services.bulk_actions import BulkAction, Chunk, Options, Sealed

GOES, LOSES, FORBIDS = "CASCADE", "SET NULL", "RESTRICT"


@dataclass(frozen=True, slots=True)
class Dependents:
    """Rows of one table that lead to the record, and what its deletion does to them."""

    table: sa.Table
    column: Any
    rule: str
    condition: Any
    is_direct: bool


def dependents(table: sa.Table, key: Any) -> Iterator[Dependents]:
    """Give what leads to a row, by the foreign keys of all tables; of what goes along, as well.

    `key` is the key of a row, or a column that has it.
    """
    yield from _dependents(table, [key], (table,))


def _dependents(table: sa.Table, keys: Any, path: tuple[sa.Table, ...]) -> Iterator[Dependents]:
    for other in Base.metadata.sorted_tables:
        for reference in sorted(other.foreign_keys, key=lambda fk: fk.parent.name):
            if reference.column.table is not table:
                continue
            rule = (reference.ondelete or "").upper()
            rule = rule if rule in (GOES, LOSES) else FORBIDS
            condition = reference.parent.in_(keys)
            yield Dependents(other, reference.parent, rule, condition, len(path) == 1)
            if rule == GOES and "id" in other.columns and other not in path:
                lost = sa.select(other.columns["id"]).where(condition)
                yield from _dependents(other, lost, (*path, other))


@dataclass(frozen=True, kw_only=True)
class DeleteMany(BulkAction):
    """Deletes records that nothing needs; what goes along goes along, as with one of them."""

    can_be_undone: bool = False

    @property
    def field(self) -> str:
        """The key stands for all of it."""
        return "id"

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return that it goes, and what forbids it."""
        found = dependents(self.model.__table__, self.model.__table__.columns["id"])
        cases = [
            (self._needs(one), f"{one.table.name.replace('_', ' ').capitalize()} still need it.")
            for one in found
            if one.rule == FORBIDS
        ]
        blocked = sa.case(*cases) if cases else sa.null()
        return Sealed(sa.literal("there"), sa.literal("deleted"), blocked=blocked)

    def _needs(self, one: Dependents) -> Any:
        if one.table is not self.model.__table__:
            return sa.exists().select_from(one.table).where(one.condition)
        other = one.table.alias()
        return sa.exists().where(other.columns[one.column.name] == self.model.id)

    def log(self, chunk: Chunk) -> None:
        """Keep all that the records were, while they are there."""
        session, model = chunk.session, self.model
        records = session.scalars(sa.select(model).where(model.id.in_(chunk.keys))).all()
        audit.record_many(
            session,
            chunk.change_set_id,
            {record.id: audit.snapshot(record) for record in records},
        )
        for record in records:
            session.expunge(record)

    def write(self, chunk: Chunk) -> None:
        """Delete them."""
        chunk.run(sa.delete(self.model).where(self.model.id.in_(chunk.keys)))
