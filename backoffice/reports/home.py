"""The figures of the first page: what waits, and how the last thirty days compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, OrderStatus, Product

DAYS = 30
# Counting stops here: "10,000+" is as good a reason to act, and it is found at once.
COUNTED = 10_000

QUEUES: dict[str, sa.Select[Any]] = {
    "to_pay": sa.select(Order.id).where(Order.status == OrderStatus.PENDING),
    "to_ship": sa.select(Order.id).where(
        Order.status.in_([OrderStatus.PAID, OrderStatus.PROCESSING])
    ),
    "low_stock": sa.select(Product.id).where(
        Product.stock <= Product.low_stock_threshold, Product.is_available
    ),
}


def count_queues(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Return {queue: rows} in one statement; a count above COUNTED means "more than that"."""
    counts = [
        sa.select(sa.func.count())
        .select_from(QUEUES[name].limit(COUNTED + 1).subquery())
        .scalar_subquery()
        .label(name)
        for name in names
    ]
    return dict(session.execute(sa.select(*counts)).one()._mapping) if counts else {}  # noqa: SLF001


@dataclass(frozen=True)
class Day:
    """A day of the period, and what the day as many days before it took."""

    on: date
    revenue: Decimal
    before: Decimal


@dataclass(frozen=True)
class Revenue:
    """Thirty days up to today, against the thirty before; metrics.md says what revenue is."""

    days: list[Day]
    currency: str

    @property
    def total(self) -> Decimal:
        """Revenue of the period."""
        return sum((day.revenue for day in self.days), Decimal(0))

    @property
    def before(self) -> Decimal:
        """Revenue of the period before."""
        return sum((day.before for day in self.days), Decimal(0))

    @property
    def change(self) -> Decimal | None:
        """The change in percent, to one place; None where there was nothing to compare with."""
        if not self.before:
            return None
        percent = (self.total - self.before) * 100 / self.before
        return percent.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)

    @property
    def highest(self) -> Decimal:
        """The highest day of both periods."""
        return max(max(day.revenue, day.before) for day in self.days)


def recent_revenue(session: Session, today: date, currency: str) -> Revenue:
    """Return the revenue of the last thirty days by the shop's day, in one statement.

    An order's subtotal less its discount is the sum of its lines, and lies in the index of days.
    """
    first = today - timedelta(days=2 * DAYS - 1)
    found = session.execute(
        sa.select(Order.paid_on, sa.func.sum(Order.subtotal_amount - Order.discount_amount))
        .where(Order.paid_on.between(first, today), Order.currency == currency)
        .group_by(Order.paid_on)
    )
    by_day: dict[date | None, Decimal] = {row[0]: row[1] for row in found}
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    return Revenue(
        [
            Day(
                day,
                by_day.get(day, Decimal(0)),
                by_day.get(day - timedelta(days=DAYS), Decimal(0)),
            )
            for day in days
        ],
        currency,
    )
