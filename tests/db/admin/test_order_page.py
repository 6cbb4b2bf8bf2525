"""The page of an order: what it shows, to whom, and which steps it offers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.models import ChangeSet, Order, OrderEventKind, OrderStatus, User
from tests.db.services.shopping import paid_order, pending_order, shipped_order, stocked
from tests.factories import make_order, make_order_event, make_payment, make_product, make_refund
from tests.pages import post, words

SignIn = Callable[[Role], User]
STEPS = ("Book a payment", "Ship", "Complete", "Start packing", "Refund", "Cancel order", "Edit")


def page(client: FlaskClient, order: Order) -> str:
    response = client.get(f"/admin/orders/details/?id={order.id}")
    assert response.status_code == 200
    return response.text


def offered(client: FlaskClient, order: Order) -> list[str]:
    """Return the steps that the page offers."""
    text = page(client, order).partition('class="actions order-acts"')[2].partition("</div>")[0]
    return [step for step in STEPS if f">{step}<" in text]


def test_an_order_shows_what_was_bought_and_how_far_it_is(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    mug, lamp = stocked(session, name="Blue mug", price=Decimal(15)), stocked(session, name="Lamp")
    order = paid_order(session, shell, (mug, 2), (lamp, 1))
    sign_in(Role.SUPPORT)

    said = words(client.get(f"/admin/orders/details/?id={order.id}"))

    assert f"{order.number} Order paid Payment paid Goods unshipped" in said
    assert f"Blue mug {mug.sku} 2 0 15.00 30.00 Lamp {lamp.sku} 1 0 10.00 10.00" in said
    assert "Items 40.00" in said
    assert "guest@example.com" in said


def test_an_order_shows_its_money(session: Session, client: FlaskClient, sign_in: SignIn) -> None:
    order = make_order(session, (make_product(session, name="Blue mug"), 2, Decimal(15)))
    payment = make_payment(session, order, provider_ref="ch-77")
    refund = make_refund(session, payment, (order.items[0], 1, Decimal("12.34")))
    sign_in(Role.SUPPORT)

    said = words(client.get(f"/admin/orders/details/?id={order.id}"))
    given_back = words(client.get(f"/admin/refunds/details/?id={refund.id}"))

    assert "Order completed Payment partly refunded Goods unshipped" in said
    assert "card ch-77 captured 30.00 30.00 12.34" in said
    assert f"{refund.number} succeeded 12.34 Damaged tester" in said
    assert "Paid 30.00 Refunded −12.34" in said
    assert f"{order.items[0].sku} Blue mug 1 0 12.34" in given_back


BY_STATE: list[tuple[str, dict[Role, list[str]]]] = [
    (
        "pending",
        {
            Role.ANALYST: [],
            Role.SUPPORT: ["Book a payment", "Cancel order", "Edit"],
            Role.MANAGER: ["Book a payment", "Cancel order", "Edit"],
        },
    ),
    (
        "paid",
        {
            Role.ANALYST: [],
            Role.SUPPORT: ["Ship", "Start packing", "Refund", "Cancel order", "Edit"],
        },
    ),
    ("shipped", {Role.ANALYST: [], Role.SUPPORT: ["Complete", "Refund", "Edit"]}),
]


@pytest.mark.parametrize(("state", "expected"), BY_STATE)
def test_only_steps_that_are_possible_and_allowed_are_offered(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    shell: Actor,
    state: str,
    expected: dict[Role, list[str]],
) -> None:
    make = {"pending": pending_order, "paid": paid_order, "shipped": shipped_order}[state]
    order = make(session, shell, (stocked(session), 2))

    for role, steps in expected.items():
        sign_in(role)
        assert offered(client, order) == steps


def test_a_finished_order_offers_no_step(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    order = make_order(
        session, (make_product(session), 1, Decimal(5)), status=OrderStatus.CANCELLED,
        cancelled_at=make_order(session, (make_product(session), 1, Decimal(5))).placed_at,
        cancel_reason="Out of stock",
    )  # fmt: skip
    sign_in(Role.SUPPORT)

    assert offered(client, order) == ["Edit"]
    assert "Out of stock" in page(client, order)


def test_events_notes_and_edits_stand_in_one_order(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = paid_order(session, shell, (stocked(session), 1))
    manager = sign_in(Role.MANAGER)
    post(client, "/admin/orders/note/", id=order.id, body="Rang at noon")
    edit = {"email": "new@example.com", "customer_name": "", "address": "", "country": ""}
    session.refresh(order)
    path = f"/admin/orders/edit/?id={order.id}"
    assert post(client, path, **edit, row_version=order.version).status_code == 302
    post(client, "/admin/orders/note/", id=order.id, body="They wrote back")

    said = words(client.get(f"/admin/orders/details/?id={order.id}"))

    told = ["They wrote back", "new@example.com", "Rang at noon", "Payment booked", "Placed"]
    said = said.partition("Timeline")[2]
    places = [said.index(part) for part in told]
    assert places == sorted(places)
    assert f"Note {manager.username}" in said
    assert "order.note" not in said


def test_edits_in_the_timeline_are_for_those_who_may_read_the_change_log(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))
    made = {"actor_name": "ann", "source": "form", "table_name": "orders", "record_id": order.id}
    session.add(ChangeSet(action="order.update", **made))
    session.commit()
    sign_in(Role.MANAGER)
    assert "order.update" in page(client, order)

    sign_in(Role.SUPPORT)
    assert "order.update" not in page(client, order)


def test_a_note_is_added_for_good(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = pending_order(session, shell, (stocked(session), 1))
    sign_in(Role.SUPPORT)

    added = post(client, "/admin/orders/note/", id=order.id, body="  <b>Rang</b> ")
    empty = post(client, "/admin/orders/note/", id=order.id, body="   ")

    assert added.location == f"/admin/orders/details/?id={order.id}#timeline"
    assert "&lt;b&gt;Rang&lt;/b&gt;" in page(client, order)
    assert empty.status_code == 422
    assert "Fill this in." in words(empty)
    session.refresh(order)
    notes = [event for event in order.events if event.kind is OrderEventKind.NOTE_ADDED]
    assert [note.body for note in notes] == ["<b>Rang</b>"]


def test_a_refused_note_keeps_what_was_typed(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))
    sign_in(Role.SUPPORT)

    refused = post(client, "/admin/orders/note/", id=order.id, body="y" * 5001)

    assert refused.status_code == 422
    assert "y" * 5001 in refused.text
    assert order.events == []


def test_the_customer_is_one_click_away(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = pending_order(session, shell, (stocked(session), 1))
    sign_in(Role.SUPPORT)

    assert f'href="/admin/customers/guest/?order={order.id}"' in page(client, order)


@pytest.mark.parametrize("times", [1, 12])
def test_the_page_takes_six_statements_at_most(
    session: Session, client: FlaskClient, sign_in: SignIn,
    caplog: pytest.LogCaptureFixture, times: int,
) -> None:  # fmt: skip
    products = [(make_product(session), 1, Decimal(5)) for _ in range(times)]
    order = make_order(session, *products)
    payment = make_payment(session, order)
    for item in order.items:
        make_refund(session, payment, (item, 1, Decimal(1)))
        make_order_event(session, order)
        session.add(
            ChangeSet(
                actor_name="ann", source="form", action="order.update", table_name="orders",
                record_id=order.id,
            )
        )  # fmt: skip
    session.commit()
    sign_in(Role.ADMIN)
    caplog.set_level("INFO", "backoffice.request")

    page(client, order)

    # Less the savepoint of the test itself.
    assert caplog.records[-1].facts["statements"] - 1 <= 6  # type: ignore[attr-defined]
