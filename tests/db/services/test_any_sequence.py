"""Whatever is done to orders in whatever order, the books agree after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, pairwise
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session, selectinload

from backoffice.access import Actor
from backoffice.db import transaction
from backoffice.errors import BackofficeError
from backoffice.models import (
    ChangeSet,
    MovementKind,
    Order,
    OrderEvent,
    OrderItem,
    OrderStatus,
    Payment,
    Product,
    Refund,
    RefundItem,
    RefundStatus,
    StockMovement,
)
from backoffice.models.states import TRANSITIONS
from backoffice.services.carts import CartLine
from backoffice.services.orders import (
    add_note,
    cancel_order,
    complete_order,
    ship_order,
    start_processing,
)
from backoffice.services.payments import capture_payment
from backoffice.services.placing import place_order
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import fail_refund, request_refund, settle_refund
from backoffice.services.stock import Move, move
from tests.db.services.shopping import GUEST, SHOP
from tests.factories import make_product

PRICES = (Decimal("0.3333"), Decimal("10.00"), Decimal(0), Decimal("7.77"))
keys = (f"any-{number}" for number in count(1))
WRITTEN = (Order, OrderItem, OrderEvent, Payment, Refund, RefundItem, StockMovement)


@dataclass
class Shop:
    """A shop of four products, and what was done in it so far."""

    session: Session
    actor: Actor
    products: list[int]
    orders: list[int] = field(default_factory=list)
    refunds: list[int] = field(default_factory=list)

    def order(self, pick: int) -> Order:
        if not self.orders:
            raise BackofficeError("There is no order yet.")
        key = self.orders[pick % len(self.orders)]
        return self.session.get_one(Order, key, populate_existing=True)

    def refund(self, pick: int) -> int:
        return self.refunds[-1 - pick % len(self.refunds)] if self.refunds else 0

    def receive(self, pick: int, units: int, _flag: bool) -> None:
        with transaction() as session:
            product = self.products[pick % len(self.products)]
            move(session, self.actor, MovementKind.RECEIVE, [Move(product, units + 1)])

    def place(self, pick: int, units: int, flag: bool) -> None:
        chosen = [
            self.products[(pick + step) % len(self.products)] for step in range(units % 3 + 1)
        ]
        placed = place_order(
            self.actor,
            GUEST,
            lines=[CartLine(product, units + 1) for product in chosen],
            key=next(keys),
            shop=SHOP,
            discount_amount=Decimal("0.50") if flag else Decimal(0),
            shipping_amount=Decimal("3.99") if pick % 2 else Decimal(0),
            tax_rate=Decimal("0.175") if pick % 3 else None,
            skip_unavailable=flag,
        )
        self.orders.append(placed.order_id)

    def capture(self, pick: int, units: int, flag: bool) -> None:
        order = self.order(pick)
        due = order.total_amount - sum(
            (each.captured_amount for each in order.payments), Decimal(0)
        )
        amount = due if flag else (due / (units + 1)).quantize(Decimal("0.01"))
        capture_payment(
            self.actor, order.id, amount=amount, provider="card", reference=next(keys), shop=SHOP
        )

    def process(self, pick: int, _units: int, _flag: bool) -> None:
        start_processing(self.actor, self.order(pick).id)

    def ship(self, pick: int, units: int, flag: bool) -> None:
        order = self.order(pick)
        line = order.items[units % len(order.items)]
        ship_order(self.actor, order.id, quantities={line.id: units % 2 + 1} if flag else None)

    def complete(self, pick: int, _units: int, _flag: bool) -> None:
        complete_order(self.actor, self.order(pick).id)

    def cancel(self, pick: int, _units: int, _flag: bool) -> None:
        cancel_order(self.actor, self.order(pick).id, reason="x", shop=SHOP)

    def give_back(self, pick: int, units: int, flag: bool) -> None:
        order = self.order(pick)
        lines = [
            RefundLine(
                item.id, units, units if flag else 0, Decimal("0.07") if pick % 5 == 4 else None
            )
            for item in order.items[: units % 2 + 1]
        ]
        made = request_refund(
            self.actor,
            order.id,
            lines=lines,
            shipping_amount=Decimal("1.33") if units == 4 else Decimal(0),
            other_amount=Decimal("0.05") if units == 3 else Decimal(0),
            reason="x",
            key=next(keys),
            shop=SHOP,
        )
        self.refunds.append(made.id)

    def settle(self, pick: int, _units: int, _flag: bool) -> None:
        settle_refund(self.actor, self.refund(pick), shop=SHOP)

    def fail(self, pick: int, _units: int, _flag: bool) -> None:
        fail_refund(self.actor, self.refund(pick), reason="x", shop=SHOP)

    def note(self, pick: int, _units: int, _flag: bool) -> None:
        add_note(self.actor, self.order(pick).id, body="x")


STEPS: tuple[Callable[[Shop, int, int, bool], None], ...] = (
    Shop.place, Shop.capture, Shop.ship, Shop.process, Shop.complete, Shop.cancel, Shop.give_back,
    Shop.give_back, Shop.give_back, Shop.settle, Shop.settle, Shop.fail, Shop.receive, Shop.note,
)  # fmt: skip
step = st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 4), st.booleans())


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(step, min_size=10, max_size=25))
def test_the_books_agree_after_any_sequence_of_steps(
    session: Session, shell: Actor, steps: list[tuple[Any, int, int, bool]]
) -> None:
    shop = Shop(session, shell, [make_product(session, price=price).id for price in PRICES])
    begin(shop)

    for do, pick, units, flag in steps:
        before = written(session)
        try:
            do(shop, pick, units, flag)
        except BackofficeError:
            assert written(session) == before  # nothing of a refused step stays
        else:
            sets = 0 if do is Shop.receive else 1  # `move` joins its caller, who writes it
            assert written(session)[0] == before[0] + sets
        books_agree(session, shop)


def begin(shop: Shop) -> None:
    """Fill the shelves; three orders, of which one is paid, one paid and partly shipped."""
    for number in range(len(PRICES)):
        shop.receive(number, 8, False)
    for number in range(3):
        shop.place(2 * number + 1, 2 - number, False)
    for number in range(2):
        shop.capture(number, 0, True)
    shop.ship(1, 2, True)


def written(session: Session) -> tuple[int, ...]:
    """How many rows there are that only a step writes; the change sets first."""
    session.expire_all()
    tables = (ChangeSet, *WRITTEN)
    counts = (sa.select(sa.func.count()).select_from(each).scalar_subquery() for each in tables)
    return tuple(session.execute(sa.select(*counts)).one())


def books_agree(session: Session, shop: Shop) -> None:
    for product in session.scalars(sa.select(Product).where(Product.id.in_(shop.products))):
        ledger_is_stock(session, product)
    orders = session.scalars(
        sa.select(Order)
        .where(Order.id.in_(shop.orders))
        .options(
            selectinload(Order.items),
            selectinload(Order.payments),
            selectinload(Order.events),
            selectinload(Order.refunds).selectinload(Refund.items),
        )
    )
    for order in orders:
        parts_are_the_total(order)
        units_are_accounted_for(order)
        money_is_accounted_for(order)
        states_follow_the_table(order)


def ledger_is_stock(session: Session, product: Product) -> None:
    rows = session.execute(
        sa.select(StockMovement.delta, StockMovement.balance_after)
        .where(StockMovement.product_id == product.id)
        .order_by(StockMovement.id)
    ).all()
    balance = 0
    for delta, balance_after in rows:
        balance += delta
        assert balance == balance_after
    assert product.stock == balance


def parts_are_the_total(order: Order) -> None:
    lines = order.items
    assert order.total_amount == (
        order.subtotal_amount - order.discount_amount + order.shipping_amount + order.tax_amount
    )
    assert order.subtotal_amount == total(line.line_total + line.discount_amount for line in lines)
    assert order.discount_amount == total(line.discount_amount for line in lines)
    assert order.tax_amount == total(line.tax_amount for line in lines)


def units_are_accounted_for(order: Order) -> None:
    for line in order.items:
        assert 0 <= line.quantity_shipped + line.quantity_cancelled <= line.quantity
        given = [
            (refund.status, item)
            for refund in order.refunds
            for item in refund.items
            if item.order_item_id == line.id and refund.status is not RefundStatus.FAILED
        ]
        done = [item for status, item in given if status is RefundStatus.SUCCEEDED]
        assert line.quantity_refunded == sum(item.quantity for item in done)
        assert sum(item.quantity for _status, item in given) <= line.quantity
        assert total(item.amount for _status, item in given) <= line.line_total
        assert total(item.tax_amount for _status, item in given) <= line.tax_amount


def money_is_accounted_for(order: Order) -> None:
    kept = total(each.captured_amount - each.refunded_amount for each in order.payments)
    assert kept >= 0
    for payment in order.payments:
        held = {
            status: total(
                refund.amount
                for refund in order.refunds
                if refund.payment_id == payment.id and refund.status is status
            )
            for status in RefundStatus
        }
        assert payment.refund_pending_amount == held[RefundStatus.PENDING]
        assert payment.refunded_amount == held[RefundStatus.SUCCEEDED]
        assert 0 <= payment.refundable_amount <= payment.captured_amount <= payment.amount
    for refund in order.refunds:
        goods = total(item.amount + item.tax_amount for item in refund.items)
        assert refund.amount == goods + refund.shipping_amount
        assert refund.tax_amount == total(item.tax_amount for item in refund.items)
    if order.status is OrderStatus.CANCELLED and all(
        refund.status is not RefundStatus.FAILED for refund in order.refunds
    ):
        assert total(each.refundable_amount for each in order.payments) == 0


def states_follow_the_table(order: Order) -> None:
    states = [event.to_status for event in order.events if event.to_status is not None]
    assert states[0] is OrderStatus.PENDING
    assert states[-1] is order.status
    for former, latter in pairwise(states):
        assert latter in TRANSITIONS[OrderStatus][former]
    told = [(each.from_status, each.to_status) for each in order.events if each.to_status]
    assert [pair[0] for pair in told] == [None, *states[:-1]]


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
