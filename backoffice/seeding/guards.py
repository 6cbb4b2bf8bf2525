"""What keeps seeding away from real data: the environment, and rows that no seed run made.

Every run leaves one change set with the ids that it made; that is how its rows are known later.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.db import Base
from backoffice.errors import RuleViolationError
from backoffice.models import Category, ChangeSet, Order, Product, Tag, User
from backoffice.seeding.tables import Loader

ENVIRONMENTS = ("development", "testing")
FLAG = "--add-to-existing"
SEED_DB, SEED_FAKE = "seed.db", "seed.fake"
_GUARDED = (User, Product, Order, Category, Tag)

Ranges = list[tuple[int, int]]


def require_environment(environment: str) -> None:
    """Raise RuleViolationError anywhere but in development and testing."""
    if environment not in ENVIRONMENTS:
        raise RuleViolationError(
            f"Made-up rows are for development and testing; APP_ENV is {environment}. "
            "Nothing was changed."
        )


def require_no_foreign_rows(session: Session, *, add_to_existing: bool) -> None:
    """Raise RuleViolationError when there are rows that no seed run made, unless allowed."""
    if add_to_existing:
        return
    foreign = {model.__tablename__: _count_foreign(session, model) for model in _GUARDED}
    told = [f"{name} {count:,}" for name, count in foreign.items() if count]
    if told:
        raise RuleViolationError(
            f"This database holds rows that no seed run made: {', '.join(told)}. "
            f"Nothing was changed. To add made-up rows beside them, say {FLAG}."
        )


def record_run(
    session: Session, actor: Actor, action: str, loader: Loader, details: dict[str, Any]
) -> None:
    """Write the change set of a run: the one row that says who and when it really was."""
    session.add(
        ChangeSet(
            actor_id=actor.user_id,
            actor_name=actor.name,
            source=actor.source,
            action=action,
            details=details | {"counts": loader.counts, "ids": loader.ranges()},
        )
    )


def runs(session: Session, *actions: str) -> list[dict[str, Any]]:
    """Return the details of earlier runs, oldest first."""
    query = sa.select(ChangeSet.details).where(ChangeSet.action.in_(actions))
    return [details or {} for details in session.scalars(query.order_by(ChangeSet.id))]


def own_ranges(session: Session, table: str) -> Ranges:
    """Return the ids that seed runs gave in that table, as ranges that do not touch."""
    found = [details.get("ids", {}).get(table) for details in runs(session, SEED_DB, SEED_FAKE)]
    ranges: Ranges = []
    for first, last in sorted(pair for pair in found if pair):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    return ranges


def _count_foreign(session: Session, model: Any) -> int:
    own = [
        model.id.between(first, last) for first, last in own_ranges(session, model.__tablename__)
    ]
    query = sa.select(sa.func.count()).select_from(model).where(sa.not_(sa.or_(sa.false(), *own)))
    if model is User:
        # Staff accounts are made by create-user, before or after seeding.
        query = query.where(User.role == Role.CUSTOMER)
    return session.scalar(query) or 0


def count_own(session: Session) -> dict[str, int]:
    """Return how many rows of seed runs there still are, by table, where runs made any."""
    tables = {name for run in runs(session, SEED_DB) for name in run.get("ids", {})}
    counts = {}
    for table in Base.metadata.sorted_tables:
        if table.name in tables:
            own = [table.c.id.between(*pair) for pair in own_ranges(session, table.name)]
            query = sa.select(sa.func.count()).select_from(table).where(sa.or_(*own))
            counts[table.name] = session.scalar(query) or 0
    return counts
