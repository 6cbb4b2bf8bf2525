"""The figures of the last day: noted by each server every five minutes, and forgotten after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice.db import transaction, utc_now
from backoffice.models import HealthSample

EVERY = timedelta(minutes=5)
KEPT_FOR = timedelta(hours=25)
MOST_READ = 3_000  # ten servers


def due_at(now: datetime) -> datetime:
    """Return the moment to which a sample taken now belongs."""
    return now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)


def is_taken(session: Session, taken_at: datetime, instance: str) -> bool:
    """Whether a worker of this server has noted this moment already."""
    query = sa.select(HealthSample.id).where(
        HealthSample.taken_at == taken_at, HealthSample.instance == instance
    )
    return session.scalar(query) is not None


def keep_sample(taken_at: datetime, instance: str, figures: dict[str, Any]) -> None:
    """Note the figures once, whichever worker comes first, and forget what is older than a day.

    No change set, because nobody has changed anything.
    """
    values = {"taken_at": taken_at, "instance": instance, "figures": figures}
    with transaction() as session:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(dialect.insert(HealthSample).values(values).on_conflict_do_nothing())
        old = sa.delete(HealthSample).where(HealthSample.taken_at < taken_at - KEPT_FOR)
        session.execute(old.execution_options(synchronize_session=False))


def read_samples(session: Session) -> Sequence[Any]:
    """Return (taken_at, instance, figures) of the last day, by time, in one statement."""
    query = (
        sa.select(HealthSample.taken_at, HealthSample.instance, HealthSample.figures)
        .where(HealthSample.taken_at >= utc_now() - timedelta(hours=24))
        .order_by(HealthSample.taken_at)
        .limit(MOST_READ)
    )
    return session.execute(query).all()
