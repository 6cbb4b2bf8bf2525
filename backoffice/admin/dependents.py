"""What leads to a record: the rows of other tables that its deletion would reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.admin.listing.counting import CAP, Count
from backoffice.db import Base

GOES, LOSES, FORBIDS = "CASCADE", "SET NULL", "RESTRICT"


@dataclass(frozen=True, slots=True)
class Dependents:
    """Rows of one table that lead to the record, and what its deletion does to them."""

    table: sa.Table
    column: Any
    rule: str
    condition: Any
    is_direct: bool


def dependents(table: sa.Table, key: int) -> Iterator[Dependents]:
    """Give what leads to a row, by the foreign keys of all tables; of what goes along, as well."""
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


def count_dependents(session: Session, record: Any) -> list[tuple[Dependents, Count]]:
    """Count all that leads to a record, each up to the cap, in one statement; none that is none."""
    found = list(dependents(record.__table__, record.id))
    if not found:
        return []
    totals = []
    for one in found:
        some = sa.select(sa.literal(1)).select_from(one.table).where(one.condition).limit(CAP + 1)
        totals.append(sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery())
    numbers = session.execute(sa.select(*totals)).one()
    return [
        (one, Count(min(number, CAP), is_exact=number <= CAP, is_capped=number > CAP))
        for one, number in zip(found, numbers, strict=True)
        if number
    ]
