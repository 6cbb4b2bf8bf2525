"""Cancelling many orders by a plan: frozen as SQL, then each by the rules for one order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from backoffice.access import Actor, Permission, Source
from backoffice.db import ExactNumeric
from backoffice.errors import BackofficeError, StaleRecordError, TransitionError
from backoffice.models import (
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    Refund,
    RefundItem,
    RefundStatus,
    RowOutcome,
    StockMovement,
)
from backoffice.models.states import require_transition
from backoffice.services.bulk_actions import BulkAction, Chunk, Options, Row, Sealed, told
from backoffice.services.cancellations import SHIPPED_IN_PART, Cancellation, plan_cancellation
from backoffice.services.locks import lock_products
from backoffice.services.order_steps import lock_order
from backoffice.services.orders import cancel_locked
from backoffice.services.reserving import above_limit
from backoffice.services.shop import Shop

_LONGEST_NOTE = 300
_FORBIDDEN = "A rule of the database forbids this."


@dataclass(frozen=True, kw_only=True)
class CancelMany(BulkAction):
    """Cancels orders, each whole or not at all; what a plan says of money and goods is kept to.

    A transaction is short: it holds the products of its orders and the numbers of refunds.
    """

    shop: Callable[[], Shop]
    can_be_undone: bool = False
    at_once: int | None = 25

    @property
    def field(self) -> str:
        """The status stands for all of it."""
        return "status"

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the status, what cancelling does, and what `cancel_order` would refuse it with."""
        blocked = _blocked(actor, self.shop())
        return Sealed(
            sa.cast(Order.status, sa.Text),
            sa.case((blocked.is_(None), _effect())),
            blocked=blocked,
        )

    def log(self, chunk: Chunk) -> None:
        """Leave it to each order's own change set, which names the plan."""

    def write(self, chunk: Chunk) -> None:
        """Cancel the orders one after the other; a refusal leaves its order as it was."""
        lines = sa.select(OrderItem.product_id).where(OrderItem.order_id.in_(chunk.keys))
        # All at once and sorted: order after order, two such chunks would wait for each other.
        lock_products(chunk.session, chunk.session.scalars(lines))
        wanted = sa.select(Row.id, Row.record_id, Row.version, Row.after).where(chunk.rows)
        for row in chunk.session.execute(wanted.order_by(Row.id)).all():
            try:
                with chunk.session.begin_nested():
                    self._cancel(chunk, row)
            except StaleRecordError as error:
                _leave(chunk, row.id, RowOutcome.MOVED, str(error))
            except BackofficeError as error:
                _leave(chunk, row.id, RowOutcome.BLOCKED, str(error))
            except IntegrityError:
                _leave(chunk, row.id, RowOutcome.BLOCKED, _FORBIDDEN)

    def _cancel(self, chunk: Chunk, row: Any) -> None:
        session = chunk.session
        order = lock_order(session, row.record_id, row.version)
        plan = plan_cancellation(session, order)
        if plan.refused is None and _told(order, plan) != row.after:
            raise StaleRecordError("Its money or its stock is not what it was. Make a new plan.")
        cancel_locked(
            session,
            replace(chunk.actor, source=Source.BULK),
            order,
            plan,
            reason=chunk.plan.reason or "",
            shop=self.shop(),
            details={"plan": chunk.plan.id},
        )


def _leave(chunk: Chunk, row_id: int, outcome: RowOutcome, note: str) -> None:
    left = sa.update(Row).where(Row.id == row_id)
    chunk.run(left.values(outcome=outcome, note=note[:_LONGEST_NOTE]))


def _told(order: Order, plan: Cancellation) -> str:
    """Return what a cancellation does, as `_effect` froze it."""
    units = sum(units for _item, units in plan.give_back)
    money = f"; refund {plan.refund_amount:.2f} {order.currency}" if plan.refund_amount else ""
    return f"cancelled{money}" + (f"; stock +{units}" if units else "")


def _effect() -> Any:
    """Return SQL of what `_told` says."""
    amount, units = _refundable(), _held_units()
    exact = told(sa.type_coerce(amount, ExactNumeric(38, 4)))
    cents = sa.func.substr(exact, 1, sa.func.length(exact) - 2)
    money = sa.literal("; refund ") + cents + " " + sa.cast(Order.currency, sa.Text)
    stock = sa.literal("; stock +") + sa.cast(units, sa.Text)
    return (
        sa.literal("cancelled")
        + sa.case((_cents(amount) > 0, money), else_="")
        + sa.case((units > 0, stock), else_="")
    )


def _blocked(actor: Actor, shop: Shop) -> Any:
    """Return SQL of the sentence that `cancel_order` refuses an order with."""
    line = sa.exists().where(OrderItem.order_id == Order.id, OrderItem.quantity_shipped > 0)
    cases: list[tuple[Any, Any]] = [
        *((Order.status == status, sentence) for status, sentence in _refused_states()),
        (line.correlate(Order), SHIPPED_IN_PART),
    ]
    refund = _refundable()
    if not actor.can(Permission.ORDER_REFUND):
        cases.append((_cents(refund) > 0, "You may not give back its money. Ask a manager."))
    elif not actor.can(Permission.ORDER_REFUND_LARGE):
        is_large = _cents(refund + _refunded()) > int(shop.refund_limit * 100)
        sentence = sa.func.replace(above_limit(shop, "$"), "$", sa.cast(Order.currency, sa.Text))
        cases.append((sa.and_(_cents(refund) > 0, is_large), sentence))
    return sa.case(*cases)


def _refused_states() -> list[tuple[OrderStatus, str]]:
    """Return the states that cannot become cancelled, each with the sentence that says so."""
    refused = []
    for status in OrderStatus:
        try:
            require_transition(status, OrderStatus.CANCELLED)
        except TransitionError as error:
            refused.append((status, str(error)))
    return refused


def _refundable() -> Any:
    """Return SQL of `Cancellation.refund_amount`: what the order's payments still have."""
    left = Payment.captured_amount - Payment.refunded_amount - Payment.refund_pending_amount
    of_order = sa.select(sa.func.sum(left)).where(Payment.order_id == Order.id, _cents(left) > 0)
    return sa.func.coalesce(of_order.correlate(Order).scalar_subquery(), 0)


def _refunded() -> Any:
    """Return SQL of `refunded_in_all`."""
    counts = sa.and_(Refund.order_id == Order.id, Refund.status != RefundStatus.FAILED)
    of_order = sa.select(sa.func.sum(Refund.amount)).where(counts).correlate(Order)
    return sa.func.coalesce(of_order.scalar_subquery(), 0)


def _held_units() -> Any:
    """Return SQL of the sum of `LineState.held_quantity`: units that the ledger shows as taken."""
    delta = sa.func.sum(StockMovement.delta)
    direct = sa.select(delta).where(StockMovement.order_item_id == OrderItem.id)
    returned = (
        sa.select(delta)
        .join(RefundItem, RefundItem.id == StockMovement.refund_item_id)
        .where(RefundItem.order_item_id == OrderItem.id)
    )
    sums = (each.correlate(OrderItem).scalar_subquery() for each in (direct, returned))
    direct_sum, returned_sum = (sa.func.coalesce(each, 0) for each in sums)
    taken = -(direct_sum + returned_sum)
    left = OrderItem.quantity - OrderItem.quantity_shipped - OrderItem.quantity_cancelled
    held = sa.case((sa.or_(taken <= 0, left <= 0), 0), (taken < left, taken), else_=left)
    of_order = sa.select(sa.func.sum(held)).where(OrderItem.order_id == Order.id)
    units = sa.func.coalesce(of_order.correlate(Order).scalar_subquery(), 0)
    return sa.cast(units, sa.BigInteger)


def _cents(amount: Any) -> Any:
    """Return SQL of an amount in whole cents: SQLite's numbers are binary."""
    return sa.cast(sa.func.round(amount * 100), sa.BigInteger)
