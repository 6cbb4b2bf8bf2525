"""The steps of an order through its forms: who may, what happens, and what a refusal leaves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import GRANTS, Actor, Permission, Role
from backoffice.models import (
    ChangeSet,
    Order,
    OrderEvent,
    OrderStatus,
    Payment,
    Refund,
    RefundStatus,
    StockMovement,
    User,
)
from tests.db.services.shopping import paid_order, pending_order, shipped_order, stocked
from tests.factories import count
from tests.pages import post, words

SignIn = Callable[[Role], User]
P = Permission
PERMISSIONS = {
    "capture": P.ORDER_CAPTURE,
    "ship": P.ORDER_SHIP,
    "process": P.ORDER_SHIP,
    "complete": P.ORDER_SHIP,
    "cancel": P.ORDER_CANCEL,
    "refund": P.ORDER_REFUND,
}
MADE = (ChangeSet, OrderEvent, Payment, Refund, StockMovement)


def trace(session: Session, order: Order) -> tuple[Any, ...]:
    """Return all that a step could change."""
    session.rollback()
    session.refresh(order)
    lines = [(i.quantity_shipped, i.quantity_cancelled) for i in order.items]
    stock = [item.product.stock for item in order.items]
    return (order.status, order.version, lines, stock, *(count(session, m) for m in MADE))


def send(client: FlaskClient, name: str, order: Order, **fields: Any) -> TestResponse:
    """Send the form of a step as its page would; `lines` are fields of the first line."""
    line = order.items[0].id
    named = {f"lines.{line}.{key}": value for key, value in fields.pop("line", {}).items()}
    sent = {"id": order.id, "version": order.version} | fields | named
    return post(client, f"/admin/orders/act/{name}/", **sent)


FIELDS: dict[str, dict[str, Any]] = {
    "capture": {"amount": "20.00", "provider": "card", "reference": "tx-1"},
    "ship": {"line": {"quantity": "2"}, "tracking": "T-1"},
    "process": {},
    "complete": {},
    "cancel": {"reason": "Out of stock", "note": "Sorry"},
    "refund": {"line": {"quantity": "1", "restock_quantity": "1"}, "reason": "Damaged", "key": "k"},
}
STARTS = {
    "capture": pending_order,
    "ship": paid_order,
    "process": paid_order,
    "complete": shipped_order,
    "cancel": paid_order,
    "refund": paid_order,
}


def start(session: Session, actor: Actor, name: str) -> Order:
    """An order of two units at 10.00 at which the step can be done."""
    return STARTS[name](session, actor, (stocked(session), 2))


@pytest.mark.parametrize("name", list(FIELDS))
@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_a_step_is_for_those_who_may(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor, role: Role, name: str
) -> None:
    order = start(session, shell, name)
    before = trace(session, order)
    may = PERMISSIONS[name] in GRANTS[role]
    sign_in(role)

    answer = send(client, name, order, **FIELDS[name])

    assert answer.status_code == (302 if may else 403)
    assert (trace(session, order) != before) is may


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("capture", OrderStatus.PAID),
        ("ship", OrderStatus.SHIPPED),
        ("process", OrderStatus.PROCESSING),
        ("complete", OrderStatus.COMPLETED),
        ("cancel", OrderStatus.CANCELLED),
        ("refund", OrderStatus.PAID),
    ],
)
def test_a_step_moves_the_order_on_and_says_so(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    shell: Actor,
    name: str,
    status: OrderStatus,
) -> None:
    order = start(session, shell, name)
    support = sign_in(Role.SUPPORT)

    answer = send(client, name, order, **FIELDS[name])

    assert answer.location == f"/admin/orders/details/?id={order.id}"
    session.refresh(order)
    assert order.status is status
    made = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert made is not None
    assert made.actor_id == support.id
    assert 'class="notice notice-success"' in client.get(answer.location).text


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_form_that_is_out_of_date_is_refused_and_kept(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor, name: str
) -> None:
    order = start(session, shell, name)
    before = trace(session, order)
    sign_in(Role.MANAGER)

    answer = send(client, name, order, **FIELDS[name], version=order.version - 1)

    assert answer.status_code == 409
    assert "This order has changed since you opened it." in words(answer)
    for value in FIELDS[name].values():
        if isinstance(value, str) and name != "refund":
            assert value in answer.text
    assert trace(session, order) == before


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_form_that_is_sent_twice_is_done_once(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor, name: str
) -> None:
    order = start(session, shell, name)
    sign_in(Role.MANAGER)
    fields = FIELDS[name] | {"version": order.version}
    assert send(client, name, order, **fields).status_code == 302
    after = trace(session, order)

    again = send(client, name, order, **fields)

    assert again.status_code == (302 if name in ("capture", "refund") else 409)
    assert trace(session, order) == after


WRONG = [
    ("capture", paid_order),
    ("ship", pending_order),
    ("ship", shipped_order),
    ("process", pending_order),
    ("complete", paid_order),
    ("cancel", shipped_order),
    ("refund", pending_order),
]


@pytest.mark.parametrize(("name", "make"), WRONG)
def test_a_step_at_the_wrong_time_leaves_no_trace(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    shell: Actor,
    name: str,
    make: Callable[..., Order],
) -> None:
    order = make(session, shell, (stocked(session), 2))
    before = trace(session, order)
    sign_in(Role.MANAGER)

    answer = send(client, name, order, **FIELDS[name])

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text or "notice-danger" in answer.text
    assert trace(session, order) == before


@pytest.mark.parametrize(
    ("name", "fields", "status", "sentence", "field"),
    [
        ("capture", {"amount": "a"}, 422, "Write an amount such as 12.50.", "amount"),
        ("capture", {"amount": ""}, 422, "Write an amount above zero.", "amount"),
        ("capture", {"amount": "1.005"}, 422, "two decimals at most", "amount"),
        ("capture", {"amount": "NaN"}, 422, "Write an amount such as 12.50.", "amount"),
        ("capture", {"amount": "20.01"}, 409, "Only 20.00 USD are due.", "amount"),
        ("capture", {"reference": " "}, 422, "Fill this in.", "reference"),
        ("ship", {"line": {"quantity": "3"}}, 409, "are left to ship.", "lines-{}-quantity"),
        ("ship", {"line": {"quantity": "-1"}}, 422, "Write a whole number.", "lines-{}-quantity"),
        ("ship", {"tracking": "x" * 201}, 422, "200 characters at most", "tracking"),
        ("cancel", {"reason": ""}, 422, "Write why.", "reason"),
        ("cancel", {"reason": "x" * 501}, 422, "500 characters at most", "reason"),
        ("refund", {"reason": ""}, 422, "Write why.", "reason"),
        ("refund", {"line": {"quantity": "3"}}, 409, "can be refunded.", "lines-{}-quantity"),
        ("refund", {"line": {"quantity": "x"}}, 422, "whole number", "lines-{}-quantity"),
        ("refund", {"line": {"amount": "20.01"}}, 409, "can be refunded.", "lines-{}-amount"),
        (
            "refund",
            {"line": {"quantity": "1", "restock_quantity": "2"}},
            409,
            "can be put back.",
            "lines-{}-restock_quantity",
        ),
        ("refund", {"line": {}, "other_amount": "20.01"}, 409, "Only 20.00 USD", "amount"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    shell: Actor,
    name: str,
    fields: dict[str, Any],
    status: int,
    sentence: str,
    field: str,
) -> None:
    order = start(session, shell, name)
    before = trace(session, order)
    sign_in(Role.MANAGER)
    sent = FIELDS[name] | fields

    answer = send(client, name, order, **sent)

    assert answer.status_code == status
    element = field.format(order.items[0].id)
    assert f'href="#{element}"' in answer.text
    assert f'id="{element}"' in answer.text
    assert sentence in words(answer)
    typed = {**sent, **sent.get("line", {})}
    typed.pop("line", None)
    assert [value for value in typed.values() if f"{value}" not in answer.text] == []
    assert trace(session, order) == before


@pytest.mark.parametrize("name", ["nothing", "note", "delete"])
def test_there_are_no_other_steps(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor, name: str
) -> None:
    order = start(session, shell, "ship")
    sign_in(Role.ADMIN)

    assert send(client, name, order).status_code == 404


@pytest.mark.parametrize("name", list(FIELDS))
def test_no_step_is_done_by_a_link_or_without_the_token(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor, name: str
) -> None:
    order = start(session, shell, name)
    before = trace(session, order)
    sign_in(Role.ADMIN)
    path = f"/admin/orders/act/{name}/"

    assert client.get(f"{path}?id={order.id}").status_code == (
        405 if name in ("process", "complete") else 200
    )
    assert client.post(path, data={"id": order.id, "version": order.version}).status_code == 400
    assert client.get(f"{path}?id=999999").status_code == 404
    assert trace(session, order) == before


def test_the_cancel_form_says_what_will_happen(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    mug = stocked(session, name="Blue mug", price=Decimal(15))
    order = paid_order(session, shell, (mug, 2))
    sign_in(Role.SUPPORT)

    said = words(client.get(f"/admin/orders/act/cancel/?id={order.id}"))
    send(client, "cancel", order, reason="Fraud")

    assert f"2 × Blue mug {mug.sku}" in said
    assert "30.00 USD in all" in said
    assert "Cancel and refund 30.00 USD" in said
    session.refresh(mug)
    assert mug.stock == 10
    assert order.refunds[0].amount == Decimal(30)


def test_above_the_limit_only_a_manager_refunds(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = paid_order(session, shell, (stocked(session, price=Decimal(201)), 1))
    before = trace(session, order)
    fields = {"line": {"quantity": "1"}, "reason": "Damaged", "key": "k"}
    sign_in(Role.SUPPORT)

    form = words(client.get(f"/admin/orders/act/refund/?id={order.id}"))
    refused = send(client, "refund", order, **fields)

    assert "You may give back up to 200.00" in form
    assert refused.status_code == 403
    assert "above 200 USD in all need a manager" in words(refused)
    assert 'value="Damaged"' in refused.text
    assert trace(session, order) == before
    cancel = words(client.get(f"/admin/orders/act/cancel/?id={order.id}"))
    assert "This gives back more money than you may. Ask a manager." in cancel
    sign_in(Role.MANAGER)
    assert send(client, "refund", order, **fields).status_code == 302
    assert order.refunds[0].amount == Decimal(201)


def test_looking_fills_the_amounts_in_and_writes_nothing(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = start(session, shell, "refund")
    before = trace(session, order)
    sign_in(Role.SUPPORT)

    looked = send(client, "refund", order, look="1", line={"quantity": "1"}, key="k")

    assert looked.status_code == 200
    assert f'name="lines.{order.items[0].id}.amount" value="10.00"' in looked.text
    assert "In all 10.00 USD go back." in words(looked)
    assert 'name="key" value="k"' in looked.text
    assert trace(session, order) == before


def test_all_that_is_left_can_be_filled_in(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order = start(session, shell, "refund")
    sign_in(Role.SUPPORT)

    page = client.get(f"/admin/orders/act/refund/?id={order.id}&all=1").text

    line = f"lines.{order.items[0].id}"
    for field, value in (("quantity", 2), ("restock_quantity", 2), ("amount", "20.00")):
        assert f'name="{line}.{field}" value="{value}"' in page


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("settle-refund", {}, RefundStatus.SUCCEEDED),
        ("fail-refund", {"reason": "Card closed"}, RefundStatus.FAILED),
    ],
)
def test_a_refund_under_way_is_settled_or_fails(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    shell: Actor,
    path: str,
    fields: dict[str, str],
    status: RefundStatus,
) -> None:
    order = start(session, shell, "refund")
    sign_in(Role.SUPPORT)
    send(client, "refund", order, **FIELDS["refund"])
    session.refresh(order)
    sent: dict[str, Any] = {"id": order.id, "version": order.version} | fields
    sent["refund"] = order.refunds[0].id
    assert "Has the money gone?" in words(client.get(f"/admin/orders/details/?id={order.id}"))

    answers = [post(client, f"/admin/orders/{path}/", **sent) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 409]
    session.refresh(order.refunds[0])
    assert order.refunds[0].status is status


def test_a_refund_of_another_order_is_not_found(
    session: Session, client: FlaskClient, sign_in: SignIn, shell: Actor
) -> None:
    order, other = start(session, shell, "refund"), start(session, shell, "refund")
    sign_in(Role.SUPPORT)
    send(client, "refund", order, **FIELDS["refund"])
    sent: dict[str, Any] = {"id": other.id, "version": other.version, "refund": order.refunds[0].id}

    assert post(client, "/admin/orders/settle-refund/", **sent).status_code == 404
    assert order.refunds[0].status is RefundStatus.PENDING
