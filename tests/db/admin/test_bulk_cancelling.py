"""Cancelling many orders by a sealed plan: what it says, what it does, and what it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role, Source
from backoffice.models import (
    BulkPlan,
    BulkPlanRow,
    ChangeSet,
    Order,
    OrderEvent,
    OrderStatus,
    Payment,
    Product,
    Refund,
    StockMovement,
    User,
)
from backoffice.services.orders import add_note, cancel_order, ship_order, start_processing
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import request_refund
from tests.db.admin.test_bulk import carry_out, outcomes
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
from tests.factories import count, make_payment
from tests.pages import post, words

SignIn = Callable[[Role], User]
MADE = (ChangeSet, OrderEvent, Refund, StockMovement)


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


@pytest.fixture
def mug(session: Session) -> Product:
    return stocked(session, 100, sku="MUG", price=Decimal("10.10"))


def plan(client: FlaskClient, *orders: Order) -> str:
    """Choose orders to cancel; return the address of the plan."""
    sent: dict[str, Any] = {"action": "cancel", "rowid": [order.id for order in orders]}
    response = post(client, "/admin/orders/bulk/", **sent)
    assert response.status_code == 303, words(response)
    return str(response.location)


def rows(session: Session) -> list[tuple[str | None, str | None, str, str | None]]:
    """Return before, after, outcome and note of all plan rows."""
    session.expire_all()
    found = session.scalars(sa.select(BulkPlanRow).order_by(BulkPlanRow.id))
    return [(row.before, row.after, row.outcome.value, row.note) for row in found]


def traces(session: Session, *orders: Order) -> list[Any]:
    """Return all that cancelling could change."""
    session.expire_all()
    stock = {each.sku: each.stock for each in session.scalars(sa.select(Product))}
    return [*((order.status, order.version) for order in orders), stock] + [
        count(session, model) for model in MADE
    ]


def require_exact(session: Session) -> None:
    """The stock is what the ledger adds up to, and what is on its way back has its refunds."""
    session.expire_all()
    for product in session.scalars(sa.select(Product)):
        assert product.stock == sum(delta for _kind, delta, _left in ledger(session, product))
    for payment in session.scalars(sa.select(Payment)):
        refunds = sum((refund.amount for refund in payment.refunds), Decimal(0))
        assert refunds == payment.refund_pending_amount + payment.refunded_amount


def test_a_preview_freezes_what_will_happen_and_changes_nothing(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    waiting = pending_order(session, shell, (mug, 1))
    paid = paid_order(session, shell, (mug, 3), (stocked(session, sku="CUP"), 2))
    gone = shipped_order(session, shell, (mug, 1))
    over = cancel_order(shell, pending_order(session, shell, (mug, 1)).id, reason="x", shop=SHOP)
    before = traces(session, waiting, paid, gone, over)

    address = plan(client, waiting, paid, gone, over)

    assert rows(session) == [
        ("pending", "cancelled; stock +1", "planned", None),
        ("paid", "cancelled; refund 50.30 USD; stock +5", "planned", None),
        (
            "shipped", None, "blocked",
            "The order is shipped and cannot become cancelled. Refund it instead.",
        ),
        ("cancelled", None, "blocked", "The order is cancelled already."),
    ]  # fmt: skip
    assert traces(session, waiting, paid, gone, over) == before
    page = words(client.get(address))
    assert "Cancel: 4 orders" in page
    assert "will change 2 blocked 2" in page
    assert "It cannot be undone." in page
    assert "Type 2 to confirm" in page
    assert f"{paid.number} paid cancelled; refund 50.30 USD; stock +5" in page


def test_a_plan_cancels_as_for_one_order_and_money_and_stock_are_exact(
    session: Session, client: FlaskClient, shell: Actor, mug: Product, manager: User
) -> None:
    first, second = (paid_order(session, shell, (mug, units)) for units in (2, 3))
    other = paid_order(session, shell, (mug, 1))
    address = plan(client, first, second)

    page = carry_out(client, address, confirm="2", reason="Recalled by the maker")

    assert "It is done. It cannot be undone" in page
    assert [row[2] for row in rows(session)] == ["done", "done"]
    for order, amount in ((first, "20.20"), (second, "30.30")):
        assert (order.status, order.cancel_reason) == ("cancelled", "Recalled by the maker")
        (payment,) = order.payments
        assert payment.refund_pending_amount == payment.captured_amount == Decimal(amount)
        assert [refund.amount for refund in order.refunds] == [Decimal(amount)]
        assert order.items[0].quantity_cancelled == order.items[0].quantity
        assert timeline(session, order)[-2:] == [
            ("refund_requested", None, None), ("status_changed", "paid", "cancelled")
        ]  # fmt: skip
    assert (other.status, mug.stock) == (OrderStatus.PAID, 99)
    assert ledger(session, mug)[-2:] == [("cancel", 2, 96), ("cancel", 3, 99)]
    require_exact(session)
    (key,) = re.findall(r"id=(\d+)", address)
    made = session.scalars(sa.select(ChangeSet).where(ChangeSet.action == "order.cancel")).all()
    assert [(one.record_id, one.source, one.actor_name, one.reason) for one in made] == [
        (record, Source.BULK, manager.username, "Recalled by the maker")
        for record in (None, first.id, second.id)
    ]
    assert {(one.details or {})["plan"] for one in made} == {int(key)}
    assert ("status", "paid", "cancelled") in {
        (change.field, change.old_value, change.new_value) for change in made[1].changes
    }


def test_it_asks_for_the_number_of_orders_and_for_a_reason(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    order = paid_order(session, shell, (mug, 1))
    address = plan(client, order)
    before = traces(session, order)

    assert "Type the number of rows to confirm." in carry_out(client, address, reason="Recalled")
    assert "Say why, for the change log." in carry_out(client, address, confirm="1", reason=" ")

    assert traces(session, order) == before
    assert outcomes(session) == {order.number: "planned"}


def test_a_plan_cancels_once_and_is_not_undone(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    order = paid_order(session, shell, (mug, 1))
    address = plan(client, order)
    carry_out(client, address, confirm="1", reason="Recalled")
    before = traces(session, order)

    assert "It runs only once." in carry_out(client, address, confirm="1", reason="Recalled")
    assert "There is nothing to undo." in carry_out(client, address, "undo")

    assert traces(session, order) == before
    assert (order.status, count(session, Refund), mug.stock) == ("cancelled", 1, 100)


def test_orders_that_changed_meanwhile_are_left_alone_and_named(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    packed, noted, left, done = (paid_order(session, shell, (mug, 2)) for _ in range(4))
    address = plan(client, packed, noted, left, done)
    start_processing(shell, packed.id)
    add_note(shell, noted.id, body="Call first")
    ship_order(shell, left.id, quantities={left.items[0].id: 1})

    page = carry_out(client, address, confirm="4", reason="Recalled")

    assert "left alone, changed since 2" in page
    assert outcomes(session) == {
        packed.number: "moved on", noted.number: "done",
        left.number: "moved on", done.number: "done",
    }  # fmt: skip
    assert [order.status for order in (packed, noted, left, done)] == [
        "processing", "cancelled", "paid", "cancelled"
    ]  # fmt: skip
    assert (mug.stock, count(session, Refund)) == (96, 2)
    require_exact(session)


def test_what_has_left_in_part_is_blocked_and_what_was_refunded_is_not_refunded_again(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    part, again = (paid_order(session, shell, (mug, 3)) for _ in range(2))
    ship_order(shell, part.id, quantities={part.items[0].id: 1})
    lines = [RefundLine(again.items[0].id, 1, restock_quantity=1)]
    request_refund(shell, again.id, lines=lines, reason="One less", key="k", shop=SHOP)

    address = plan(client, part, again)

    assert rows(session) == [
        (
            "paid", None, "blocked",
            "Part of this order has left already. Refund what is not to be paid for instead.",
        ),
        ("paid", "cancelled; refund 20.20 USD; stock +2", "planned", None),
    ]  # fmt: skip
    carry_out(client, address, confirm="1", reason="Recalled")
    assert [row[2] for row in rows(session)] == ["blocked", "done"]
    (payment,) = again.payments
    assert payment.refund_pending_amount == payment.captured_amount == Decimal("30.30")
    assert mug.stock == 97
    require_exact(session)


def test_several_payments_are_all_given_back_and_waiting_ones_are_voided(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    order = pending_order(session, shell, (mug, 3))
    for amount in ("10.10", "20.20"):
        capture(shell, order, Decimal(amount))
    waiting = make_payment(session, order, captured=Decimal(0), provider="bank")

    carry_out(client, plan(client, order), confirm="1", reason="Recalled")

    assert rows(session)[0][1:3] == ("cancelled; refund 30.30 USD; stock +3", "done")
    pending = [payment.refund_pending_amount for payment in order.payments]
    assert pending == [Decimal("10.10"), Decimal("20.20"), Decimal(0)]
    assert waiting.status == "voided"
    require_exact(session)


def test_more_money_than_the_person_may_give_back_is_blocked_when_planned_and_when_done(
    session: Session, client: FlaskClient, shell: Actor, mug: Product, sign_in: SignIn
) -> None:
    limit = client.application.config["REFUND_LIMIT"]
    dear = stocked(session, sku="DEAR", price=limit + Decimal("0.01"))
    large, exact = (
        paid_order(session, shell, (product, 1))
        for product in (dear, stocked(session, price=limit))
    )
    by_manager = plan(client, large)
    sign_in(Role.SUPPORT)
    refused = f"Refunds above {limit} USD in all need a manager."

    plan(client, large, exact)

    assert [row[2:] for row in rows(session)] == [
        ("planned", None), ("blocked", refused), ("planned", None)
    ]  # fmt: skip
    carry_out(client, by_manager, confirm="1", reason="Recalled")
    assert rows(session)[0][2:] == ("blocked", refused)
    assert (large.status, large.version, count(session, Refund)) == ("paid", 2, 0)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.OPERATOR])
def test_cancelling_many_is_for_those_who_may_cancel_one(
    session: Session, client: FlaskClient, shell: Actor, mug: Product, sign_in: SignIn, role: Role
) -> None:
    order = paid_order(session, shell, (mug, 1))
    (key,) = re.findall(r"id=(\d+)", plan(client, order))
    before = traces(session, order)
    sign_in(role)

    sent: dict[str, Any] = {"action": "cancel", "rowid": order.id}
    sealed = post(client, "/admin/orders/bulk/", **sent)
    applied = post(client, "/admin/bulk_plans/apply/", id=key, confirm="1", reason="x")

    assert (sealed.status_code, applied.status_code) == (403, 403)
    assert 'id="bulk"' not in client.get("/admin/orders/").text
    assert traces(session, order) == before
    assert count(session, BulkPlan) == 1


def test_an_order_whose_money_is_not_what_the_plan_says_is_left_alone(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    first, spoilt, last = (paid_order(session, shell, (mug, 2)) for _ in range(3))
    address = plan(client, first, spoilt, last)
    # The payment is changed past the order: its version still is what the plan saw.
    session.execute(
        sa.update(Payment)
        .where(Payment.order_id == spoilt.id)
        .values(refund_pending_amount=Decimal(5))
    )
    session.commit()

    carry_out(client, address, confirm="3", reason="Recalled")

    assert [row[2:] for row in rows(session)] == [
        ("done", None),
        ("moved on", "Its money or its stock is not what it was. Make a new plan."),
        ("done", None),
    ]
    assert (spoilt.status, spoilt.version, spoilt.refunds) == ("paid", 2, [])
    assert [order.status for order in (first, last)] == ["cancelled", "cancelled"]
    assert mug.stock == 98


def test_an_order_that_the_database_refuses_stays_whole_and_the_others_are_done(
    session: Session, client: FlaskClient, shell: Actor, mug: Product
) -> None:
    first, spoilt, last = (paid_order(session, shell, (mug, 2)) for _ in range(3))
    address = plan(client, first, spoilt, last)
    key = spoilt.id

    def lose_the_reason(_mapper: object, _connection: object, order: Order) -> None:
        if order.id == key:
            order.cancel_reason = None

    event.listen(Order, "before_update", lose_the_reason)
    try:
        carry_out(client, address, confirm="3", reason="Recalled")
    finally:
        event.remove(Order, "before_update", lose_the_reason)

    assert [row[2:] for row in rows(session)] == [
        ("done", None), ("blocked", "A rule of the database forbids this."), ("done", None)
    ]  # fmt: skip
    assert (spoilt.status, spoilt.version, spoilt.refunds) == ("paid", 2, [])
    assert [kind for kind, _from, _to in timeline(session, spoilt)].count("refund_requested") == 0
    assert [order.status for order in (first, last)] == ["cancelled", "cancelled"]
    assert ledger(session, mug)[-2:] == [("cancel", 2, 96), ("cancel", 2, 98)]
    require_exact(session)
