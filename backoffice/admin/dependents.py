"""How much leads to a record, for a page to say before it is deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.admin.listing.counting import CAP, Count
from backoffice.services.deletions import Dependents, dependents


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
