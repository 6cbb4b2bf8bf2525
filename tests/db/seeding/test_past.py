"""The past of the demo shop adds up: the ledger to the stock, payments and events to the orders."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from backoffice.access import Actor
from backoffice.models import (
    MovementKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    StockMovement,
)
from backoffice.models.states import PaymentState, can_become, payment_state
from backoffice.seeding.plan import Plan
from backoffice.seeding.shop import seed_shop


@pytest.fixture
def shop(session: Session, shell: Actor, plan: Plan) -> Session:
    """A shop that is small and busy, so that shelves run empty."""
    busy = dataclasses.replace(plan, products=40, customers=60, orders=500)
    seed_shop(shell, busy, environment="testing")
    return session


@pytest.fixture
def orders(shop: Session) -> list[Order]:
    query = sa.select(Order).options(
        selectinload(Order.payments), selectinload(Order.events), selectinload(Order.items)
    )
    return list(shop.scalars(query.order_by(Order.id)))


def test_the_ledger_adds_up_to_the_stock_step_by_step(shop: Session, plan: Plan) -> None:
    balances = dict.fromkeys(shop.scalars(sa.select(Product.id)), 0)
    movements = list(shop.scalars(sa.select(StockMovement).order_by(StockMovement.id)))
    for movement in movements:
        balances[movement.product_id] += movement.delta
        assert movement.balance_after == balances[movement.product_id]

    stocks = shop.execute(sa.select(Product.id, Product.stock)).all()
    assert balances == {product: stock for product, stock in stocks}  # noqa: C416
    assert all(one.created_at <= other.created_at for one, other in pairwise(movements))
    assert movements[-1].created_at <= plan.now
    assert set(Counter(movement.kind for movement in movements)) >= {
        MovementKind.OPENING, MovementKind.SALE, MovementKind.CANCEL, MovementKind.RECEIVE,
    }  # fmt: skip


def test_each_line_was_sold_and_each_cancelled_unit_came_back(shop: Session) -> None:
    taken = sa.select(sa.func.sum(StockMovement.delta)).where(
        StockMovement.order_item_id == OrderItem.id
    )
    kept = OrderItem.quantity - OrderItem.quantity_cancelled
    wrong = sa.select(OrderItem.id).where(taken.scalar_subquery() != -kept)

    assert shop.scalars(wrong).all() == []
    assert shop.scalars(sa.select(OrderItem.id)).first() is not None


def test_paid_orders_have_their_money(orders: list[Order]) -> None:
    for order in orders:
        expected = PaymentState.PAID if order.paid_at else PaymentState.UNPAID
        assert payment_state(order.total_amount, order.payments) is expected
        (payment,) = order.payments
        assert (payment.amount, payment.captured_at) == (order.total_amount, order.paid_at)
    assert {payment.status for order in orders for payment in order.payments} >= {
        PaymentStatus.CAPTURED, PaymentStatus.VOIDED,
    }  # fmt: skip


def test_the_timeline_leads_to_the_state_by_steps_that_are_allowed(orders: list[Order]) -> None:
    for order in orders:
        placed, *later = order.events
        assert (placed.kind, placed.created_at) == (OrderEventKind.PLACED, order.placed_at)
        assert (placed.from_status, placed.to_status) == (None, OrderStatus.PENDING)
        for one, other in pairwise(order.events):
            assert one.to_status is other.from_status
            assert one.created_at <= other.created_at
        for event in later:
            assert event.from_status is not None
            assert event.to_status is not None
            assert can_become(event.from_status, event.to_status)
        assert order.events[-1].to_status is order.status


def test_events_and_payments_are_of_the_past(shop: Session, plan: Plan) -> None:
    latest = [
        shop.scalar(sa.select(sa.func.max(OrderEvent.created_at))),
        shop.scalar(sa.select(sa.func.max(Payment.captured_at))),
    ]

    assert all(moment is not None and moment <= plan.now for moment in latest)
