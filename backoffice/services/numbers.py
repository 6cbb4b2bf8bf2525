"""Numbers of orders and refunds, from series that only rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, Refund

_TAKE = """
INSERT INTO number_series (name, last_number) VALUES (:name, :first)
ON CONFLICT (name) DO UPDATE SET last_number = number_series.last_number + :step
RETURNING last_number
"""


@dataclass(frozen=True, slots=True)
class Series:
    """Whose numbers they are, how they begin, and the first of them."""

    model: Any
    prefix: str
    first: int


ORDER_NUMBERS = Series(Order, "", 1_000_001)
REFUND_NUMBERS = Series(Refund, "R", 100_001)


def next_number(session: Session, series: Series) -> str:
    """Return the next number that is free, in the caller's transaction.

    Take it last: on PostgreSQL the series stays locked until the transaction ends. Where imported
    records hold the numbers ahead, the steps grow, so that few tries pass by any number of them.
    """
    step = 1
    while True:
        number = f"{series.prefix}{_take(session, series, step)}"
        if session.scalar(sa.select(series.model.id).where(series.model.number == number)) is None:
            return number
        step *= 2


def _take(session: Session, series: Series, step: int) -> int:
    values = {"name": series.model.__tablename__, "first": series.first, "step": step}
    return int(session.scalar(sa.text(_TAKE), values) or 0)
