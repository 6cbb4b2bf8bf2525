"""The way of an order, and cancelling it: stock and money come back in the same action."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import (
    BackofficeError,
    PermissionDeniedError,
    StaleRecordError,
    TransitionError,
)
from backoffice.models import (
    ChangeSet,
    Order,
    OrderEvent,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from backoffice.services.orders import (
    add_note,
    cancel_order,
    complete_order,
    ship_order,
    start_processing,
)
from backoffice.services.refunds import request_refund
from tests.db.services.shopping import (
    SHOP,
    capture,
    ledger,
    paid_order,
    pending_order,
    shipped_order,
    stocked,
    timeline,
)
from tests.factories import count, make_order, make_payment, make_product


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(ChangeSet.action).order_by(ChangeSet.id)))


def cancel(actor: Actor, order: Order, **values: Any) -> Order:
    defaults: dict[str, Any] = {"reason": "Customer changed their mind", "shop": SHOP}
    return cancel_order(actor, order.id, **(defaults | values))


def test_a_paid_order_is_packed_shipped_and_completed(session: Session, shell: Actor) -> None:
    order = paid_order(session, shell, (stocked(session), 2))

    start_processing(shell, order.id, expected_version=2)
    ship_order(shell, order.id, tracking=" 1Z999 ", expected_version=3)
    complete_order(shell, order.id, expected_version=4)

    assert (order.status, order.version) == (OrderStatus.COMPLETED, 5)
    moments = [order.placed_at, order.paid_at, order.shipped_at, order.completed_at]
    assert [type(each) for each in moments] == [datetime] * 4
    assert moments == sorted(moments)  # type: ignore[type-var]
    assert timeline(session, order)[2:] == [
        ("status_changed", "paid", "processing"),
        ("shipped", None, None),
        ("status_changed", "processing", "shipped"),
        ("status_changed", "shipped", "completed"),
    ]
    assert actions(session)[2:] == ["order.process", "order.ship", "order.complete"]


def test_an_order_that_leaves_in_parts_is_shipped_with_the_last(
    session: Session, shell: Actor
) -> None:
    lamp, bowl = stocked(session, sku="LAMP"), stocked(session, sku="BOWL")
    order = paid_order(session, shell, (lamp, 2), (bowl, 1))
    first, second = order.items

    ship_order(shell, order.id, quantities={first.id: 1})
    assert (order.status, order.shipped_at, first.quantity_shipped) == (OrderStatus.PAID, None, 1)
    ship_order(shell, order.id, quantities={second.id: 1, first.id: 1}, tracking="1Z999")

    assert order.status is OrderStatus.SHIPPED
    assert (first.quantity_shipped, second.quantity_shipped) == (2, 1)
    shipped = [event for event in order.events if event.kind == "shipped"]
    assert [(event.body, event.data) for event in shipped] == [
        (None, {"lines": [{"sku": "LAMP", "quantity": 1}], "tracking": None}),
        ("1Z999", {"lines": [{"sku": "LAMP", "quantity": 1}, {"sku": "BOWL", "quantity": 1}],
                   "tracking": "1Z999"}),
    ]  # fmt: skip
    change_set = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert change_set is not None
    told = {change.field: (change.old_value, change.new_value) for change in change_set.changes}
    assert told["line 1.quantity_shipped"] == ("1", "2")
    assert told["status"] == ("paid", "shipped")


@pytest.mark.parametrize(
    ("units", "sentence"),
    [
        (0, "Ship one unit at least."),
        (-1, "Ship one unit at least."),
        (3, "Only 2 of LAMP are left to ship."),
    ],
)
def test_no_more_than_is_left_is_shipped(
    session: Session, shell: Actor, units: int, sentence: str
) -> None:
    order = paid_order(session, shell, (stocked(session, sku="LAMP"), 2))
    (line,) = order.items
    before = (order.version, count(session, ChangeSet), count(session, OrderEvent))

    with pytest.raises(BackofficeError) as refusal:
        ship_order(shell, order.id, quantities={line.id: units})

    assert str(refusal.value) == sentence
    assert refusal.value.field == f"lines.{line.id}.quantity"
    assert line.quantity_shipped == 0
    assert (order.version, count(session, ChangeSet), count(session, OrderEvent)) == before


def test_the_line_of_another_order_is_not_shipped(session: Session, shell: Actor) -> None:
    product = stocked(session)
    order, other = (paid_order(session, shell, (product, 1)) for _ in range(2))

    with pytest.raises(BackofficeError, match=r"^This order has no such line\.$"):
        ship_order(shell, order.id, quantities={other.items[0].id: 1})

    assert other.items[0].quantity_shipped == 0


def test_cancelling_before_payment_gives_back_the_stock(session: Session, shell: Actor) -> None:
    lamp, bowl = stocked(session), stocked(session)
    order = pending_order(session, shell, (lamp, 2), (bowl, 3))
    waiting = make_payment(session, order, Decimal(0))

    cancel(shell, order, reason=" Fraud ", note="Called twice")

    assert (order.status, order.cancel_reason, order.version) == ("cancelled", "Fraud", 2)
    assert order.cancelled_at is not None
    assert [line.quantity_cancelled for line in order.items] == [2, 3]
    assert ledger(session, lamp) == [("receive", 10, 10), ("sale", -2, 8), ("cancel", 2, 10)]
    assert (lamp.stock, bowl.stock) == (10, 10)
    assert waiting.status is PaymentStatus.VOIDED
    assert count(session, Refund) == 0
    assert timeline(session, order)[1:] == [
        ("status_changed", "pending", "cancelled"),
        ("note_added", None, None),
    ]
    assert actions(session) == ["order.place", "order.cancel"]


def test_cancelling_after_payment_refunds_all_of_it(session: Session, shell: Actor) -> None:
    lamp, bowl = stocked(session, price=Decimal("3.33")), stocked(session, price=Decimal(5))
    order = paid_order(
        session, shell, (lamp, 3), (bowl, 1), tax_rate=Decimal("0.2"), shipping_amount=Decimal(4)
    )
    assert order.total_amount == Decimal("21.99")

    cancel(shell, order)

    refund = session.scalars(sa.select(Refund)).one()
    assert (refund.status, refund.amount) == (RefundStatus.PENDING, Decimal("21.99"))
    assert (refund.shipping_amount, refund.tax_amount) == (Decimal(4), Decimal("3.00"))
    assert [(item.quantity, item.amount, item.restock_quantity) for item in refund.items] == [
        (3, Decimal("9.99"), 0),
        (1, Decimal("5.00"), 0),
    ]
    (payment,) = order.payments
    assert (payment.refund_pending_amount, payment.refunded_amount) == (
        Decimal("21.99"),
        Decimal(0),
    )
    assert (order.status, lamp.stock, bowl.stock) == (OrderStatus.CANCELLED, 10, 10)
    assert [step[0] for step in timeline(session, order)][2:] == [
        "refund_requested",
        "status_changed",
    ]


def test_cancelling_refunds_each_payment_its_own(session: Session, shell: Actor) -> None:
    order = pending_order(session, shell, (stocked(session), 3), shipping_amount=Decimal(5))
    capture(shell, order, 12)
    capture(shell, order, 23)

    cancel(shell, order)

    first, second = session.scalars(sa.select(Refund).order_by(Refund.id))
    assert [first.amount, second.amount] == [Decimal(12), Decimal(23)]
    assert [(item.quantity, item.amount) for item in first.items] == [(3, Decimal(12))]
    assert [(item.quantity, item.amount) for item in second.items] == [(0, Decimal(18))]
    assert [first.shipping_amount, second.shipping_amount] == [Decimal(0), Decimal(5)]


def test_only_what_the_ledger_shows_as_taken_comes_back(session: Session, shell: Actor) -> None:
    product = make_product(session, stock=4)
    order = make_order(session, (product, 3, Decimal(5)), status=OrderStatus.PENDING)

    cancel(shell, order)

    assert (product.stock, order.items[0].quantity_cancelled) == (4, 3)
    assert ledger(session, product) == []


def test_what_has_left_is_not_cancelled(session: Session, shell: Actor) -> None:
    product = stocked(session)
    order = paid_order(session, shell, (product, 2))
    ship_order(shell, order.id, quantities={order.items[0].id: 1})
    before = (order.version, count(session, ChangeSet), count(session, OrderEvent))

    with pytest.raises(BackofficeError, match=r"^Part of this order has left already\. Refund"):
        cancel(shell, order)
    ship_order(shell, order.id)
    with pytest.raises(BackofficeError, match=r"cannot become cancelled\. Refund it instead\.$"):
        cancel(shell, order)

    assert (product.stock, count(session, Refund)) == (8, 0)
    assert order.status is OrderStatus.SHIPPED
    assert before[1] + 1 == count(session, ChangeSet)


def test_an_order_is_cancelled_once(session: Session, shell: Actor) -> None:
    product = stocked(session)
    order = paid_order(session, shell, (product, 2))
    cancel(shell, order)

    with pytest.raises(BackofficeError, match=r"^The order is cancelled already\.$"):
        cancel(shell, order)

    assert (product.stock, count(session, Refund)) == (10, 1)


def test_no_key_of_another_refund_stands_in_the_way_of_cancelling(
    session: Session, shell: Actor
) -> None:
    product = stocked(session)
    order, other = (paid_order(session, shell, (product, 1)) for _ in range(2))
    guessed = f"cancel-{order.id}-{order.payments[0].id}"
    request_refund(shell, other.id, other_amount=Decimal(1), reason="x", key=guessed, shop=SHOP)

    cancel(shell, order)

    assert (order.status, product.stock) == (OrderStatus.CANCELLED, 9)


def test_a_large_refund_by_cancelling_takes_a_manager(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    product = stocked(session, price=Decimal("200.01"))
    order = paid_order(session, shell, (product, 1))
    sets = count(session, ChangeSet)

    with pytest.raises(
        PermissionDeniedError, match=r"^Refunds above 200 USD in all need a manager"
    ):
        cancel(actor_of(Role.SUPPORT), order)

    assert (order.status, product.stock, count(session, Refund)) == (OrderStatus.PAID, 9, 0)
    assert count(session, ChangeSet) == sets
    assert session.scalars(sa.select(Payment)).one().refund_pending_amount == 0
    assert cancel(actor_of(Role.MANAGER), order).status is OrderStatus.CANCELLED


STEPS: dict[str, Callable[[Actor, Order, int | None], object]] = {
    "process": lambda actor, order, seen: start_processing(actor, order.id, expected_version=seen),
    "ship": lambda actor, order, seen: ship_order(actor, order.id, expected_version=seen),
    "cancel": lambda actor, order, seen: cancel(actor, order, expected_version=seen),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_from_a_stale_page_or_by_the_wrong_role_leaves_no_trace(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor], step: str
) -> None:
    order = paid_order(session, shell, (stocked(session), 2))
    before = (order.version, count(session, ChangeSet), count(session, OrderEvent))

    with pytest.raises(StaleRecordError):
        STEPS[step](shell, order, 1)
    with pytest.raises(PermissionDeniedError):
        STEPS[step](actor_of(Role.ANALYST), order, None)
    with pytest.raises(BackofficeError, match=r"^There is no such order\.$"):
        STEPS[step](shell, Order(id=10**9), None)

    session.expire_all()
    assert (order.status, count(session, Refund)) == (OrderStatus.PAID, 0)
    assert (order.version, count(session, ChangeSet), count(session, OrderEvent)) == before


def test_states_follow_each_other_only_by_the_table(session: Session, shell: Actor) -> None:
    pending = pending_order(session, shell, (stocked(session), 1))
    shipped = shipped_order(session, shell, (stocked(session), 1))

    for step, order in (
        (start_processing, pending),
        (ship_order, pending),
        (complete_order, pending),
        (start_processing, shipped),
        (ship_order, shipped),
    ):
        with pytest.raises(TransitionError):
            step(shell, order.id)

    assert (pending.status, shipped.status) == (OrderStatus.PENDING, OrderStatus.SHIPPED)


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_cancelling_takes_a_reason(session: Session, shell: Actor, reason: str) -> None:
    order = pending_order(session, shell, (stocked(session), 1))

    with pytest.raises(BackofficeError) as refusal:
        cancel(shell, order, reason=reason)

    assert refusal.value.field == "reason"
    assert order.status is OrderStatus.PENDING


def test_a_note_joins_the_timeline_and_makes_no_page_stale(session: Session, shell: Actor) -> None:
    order = pending_order(session, shell, (stocked(session), 1))

    note = add_note(shell, order.id, body=" Rings at noon ")

    assert (note.kind, note.body, note.actor_name) == ("note_added", "Rings at noon", "tester")
    assert (order.version, actions(session)[-1]) == (1, "order.note")
    with pytest.raises(BackofficeError, match="Fill this in"):
        add_note(shell, order.id, body=" ")
    with pytest.raises(BackofficeError, match="There is no such order"):
        add_note(shell, 10**9, body="x")
    assert count(session, OrderEvent) == 2
