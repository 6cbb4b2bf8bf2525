"""Numbers of orders and refunds, from series that only rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, Refund

_TAKE_OF_ROW = sa.text("""
INSERT INTO number_series (name, last_number) VALUES (:name, :first)
ON CONFLICT (name) DO UPDATE SET last_number = number_series.last_number + :step
RETURNING last_number
""")
# max() passes by :step numbers at once; others may take theirs meanwhile.
_TAKE_OF_SEQUENCE = sa.text("""
SELECT n FROM (SELECT max(nextval('order_numbers')) AS n FROM generate_series(1, :step)) AS taken
WHERE NOT EXISTS (SELECT 1 FROM orders WHERE number = CAST(n AS VARCHAR))
""")


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

    Orders have a sequence on PostgreSQL. Any other series stays locked until the transaction ends:
    take its number last. Where imported records hold the numbers ahead, the steps grow, so that few
    tries pass by any number of them.
    """
    has_sequence = series is ORDER_NUMBERS and session.get_bind().dialect.name == "postgresql"
    take = _from_sequence if has_sequence else _from_row
    step = 1
    while (number := take(session, series, step)) is None:
        step *= 2
    return number


def _from_sequence(session: Session, _series: Series, step: int) -> str | None:
    number = session.scalar(_TAKE_OF_SEQUENCE, {"step": step})
    return None if number is None else str(number)


def _from_row(session: Session, series: Series, step: int) -> str | None:
    values = {"name": series.model.__tablename__, "first": series.first, "step": step}
    number = f"{series.prefix}{session.scalar(_TAKE_OF_ROW, values)}"
    taken = session.scalar(sa.select(series.model.id).where(series.model.number == number))
    return number if taken is None else None
