"""What a customer has bought and given back, as an account or as a guest with the same e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, OrderEvent, OrderEventKind, Refund, RefundStatus, User

# Of a customer with more orders than this, the newest are looked at.
MOST_ORDERS = 10_000
NEWEST = 10
_CENT = Decimal("0.01")


def orders_of_account(user_id: int) -> sa.ColumnElement[bool]:
    """Return the condition of an account's orders, those as a guest with its e-mail included."""
    email = sa.select(User.email).where(User.id == user_id).scalar_subquery()
    return sa.or_(Order.user_id == user_id, orders_of_guest(email))


def orders_of_guest(email: Any) -> sa.ColumnElement[bool]:
    """Return the condition of the orders that were placed without an account under an e-mail."""
    return sa.and_(Order.user_id.is_(None), Order.email == email)


@dataclass(frozen=True, slots=True)
class Bought:
    """A customer's figures in one currency; metrics.md says what they are."""

    currency: str
    orders: int
    paid: int
    revenue: Decimal
    refunds: int
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        """Revenue of all time, less what was given back of it."""
        return self.revenue - self.refunded

    @property
    def average(self) -> Decimal | None:
        """Revenue of a paid order, before refunds; None without one."""
        if not self.paid:
            return None
        return (self.revenue / self.paid).quantize(_CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Figures:
    """A customer's figures, one for each currency; amounts of two are never added up."""

    currencies: list[Bought]
    first_at: datetime | None
    last_at: datetime | None

    @property
    def orders(self) -> int:
        """How many orders there are, whatever became of them."""
        return sum(one.orders for one in self.currencies)

    @property
    def is_cut(self) -> bool:
        """Whether there were more orders than are looked at."""
        return self.orders > MOST_ORDERS


def figures_of(
    session: Session, orders: sa.ColumnElement[bool], *, user_id: int | None = None
) -> Figures:
    """Return the figures of the customer whose orders these are, in one statement.

    Credit notes that know the account but no order count as well.
    """
    bought = _newest(orders, MOST_ORDERS + 1).cte("bought")
    paid = bought.c.paid_on.is_not(None)
    sums = sa.select(
        bought.c.currency.label("currency"),
        sa.func.count().label("orders"),
        sa.func.count(bought.c.paid_on).label("paid"),
        sa.func.sum(sa.case((paid, bought.c.goods_amount), else_=0)).label("amount"),
        sa.func.min(bought.c.placed_at).label("first_at"),
        sa.func.max(bought.c.placed_at).label("last_at"),
    ).group_by(bought.c.currency)
    given = sa.select(
        Refund.currency,
        sa.func.count(),
        sa.null(),
        sa.func.sum(Refund.amount - Refund.shipping_amount - Refund.tax_amount),
        sa.null(),
        sa.null(),
    ).group_by(Refund.currency)
    of_orders = Refund.order_id.in_(sa.select(bought.c.id))
    of_account = sa.and_(Refund.order_id.is_(None), Refund.user_id == user_id)
    whose = of_orders if user_id is None else sa.or_(of_orders, of_account)
    given = given.where(Refund.status == RefundStatus.SUCCEEDED, whose)
    found = session.execute(sa.union_all(sums, given)).all()
    return _figures([row for row in found if row.paid is not None], found)


def _figures(sums: list[Any], found: Any) -> Figures:
    given = {row.currency: row for row in found if row.paid is None}
    bought = {row.currency: row for row in sums}
    currencies = [
        Bought(
            currency,
            getattr(bought.get(currency), "orders", 0),
            getattr(bought.get(currency), "paid", 0),
            getattr(bought.get(currency), "amount", Decimal(0)),
            getattr(given.get(currency), "orders", 0),
            getattr(given.get(currency), "amount", Decimal(0)),
        )
        for currency in sorted(bought | given)
    ]
    return Figures(
        currencies,
        min((row.first_at for row in sums), default=None),
        max((row.last_at for row in sums), default=None),
    )


def notes_of(session: Session, orders: sa.ColumnElement[bool]) -> list[Any]:
    """Return the newest notes on the customer's orders, each with its order's number."""
    bought = _newest(orders, MOST_ORDERS).subquery()
    return list(
        session.execute(
            sa.select(OrderEvent, bought.c.number)
            .join(bought, bought.c.id == OrderEvent.order_id)
            .where(OrderEvent.kind == OrderEventKind.NOTE_ADDED)
            .order_by(OrderEvent.id.desc())
            .limit(NEWEST)
        )
    )


def _newest(orders: sa.ColumnElement[bool], limit: int) -> sa.Select[Any]:
    facts: list[Any] = [
        Order.id, Order.number, Order.currency, Order.paid_on, Order.placed_at,
        (Order.subtotal_amount - Order.discount_amount).label("goods_amount"),
    ]  # fmt: skip
    return sa.select(*facts).where(orders).order_by(Order.placed_at.desc()).limit(limit)
