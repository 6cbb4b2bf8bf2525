"""Changing a product's stock in the browser: who may, what is refused, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import GRANTS, Permission, Role
from backoffice.models import ChangeSet, Product, StockMovement, User
from tests.factories import count, make_product, move_stock
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture
def product(session: Session) -> Product:
    product = make_product(session, sku="MUG", name="Mug")
    move_stock(session, product, 10)
    return product


def send(client: FlaskClient, product: Product, **values: Any) -> TestResponse:
    fields = {"kind": "receive", "quantity": "5", "reason": "", "token": "t1"} | values
    return post(client, f"/admin/products/stock/?id={product.id}", **fields)


def ledger(session: Session) -> list[tuple[str, int, int, str | None, str]]:
    rows = session.scalars(sa.select(StockMovement).order_by(StockMovement.id)).all()[1:]
    return [(r.kind.value, r.delta, r.balance_after, r.reason, r.actor_name) for r in rows]


@pytest.mark.parametrize(
    ("kind", "quantity", "reason", "delta"),
    [
        ("receive", "5", "", 5),
        ("write_off", "4", "Broken", -4),
        ("adjust", "-10", "Lost", -10),
        ("adjust", "2", "Found", 2),
    ],
)
def test_the_stock_is_changed_and_the_ledger_tells_by_whom(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    product: Product,
    kind: str,
    quantity: str,
    reason: str,
    delta: int,
) -> None:
    manager = sign_in(Role.MANAGER)

    response = send(client, product, kind=kind, quantity=quantity, reason=reason)

    assert response.status_code == 303
    assert ledger(session) == [(kind, delta, 10 + delta, reason or None, manager.username)]
    page = words(client.get(response.location))
    assert f"{10 + delta} of MUG Mug are for sale now." in page
    assert f"For sale {10 + delta} Committed to open orders 0 On hand {10 + delta}" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "write_off", "quantity": "11", "reason": "x"}, "Only 10 are for sale."),
        ({"kind": "write_off", "quantity": "1"}, "Say why."),
        (
            {"kind": "adjust", "quantity": "0", "reason": "x"},
            "Enter a difference, such as 3 or -3.",
        ),
        ({"quantity": "-5"}, "Enter a number from 1 to 1,000,000."),
        ({"quantity": ""}, "Enter a number."),
        ({"quantity": "many"}, "Not a valid integer value."),
        ({"kind": "sale"}, "Not a valid choice."),
        ({"reason": "x" * 501, "quantity": "5"}, "longer than 500"),
    ],
)
def test_what_is_refused_is_said_at_the_field_and_leaves_no_trace(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    product: Product,
    values: dict[str, str],
    said: str,
) -> None:
    sign_in(Role.MANAGER)

    response = send(client, product, **values)

    assert response.status_code == 422
    error = response.text.partition('class="invalid-feedback"')[2].partition("</div>")[0]
    assert said in error
    session.refresh(product)
    assert (product.stock, ledger(session), count(session, ChangeSet)) == (10, [], 0)


def test_a_form_that_is_sent_twice_counts_once(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    sign_in(Role.MANAGER)
    page = client.get(f"/admin/products/stock/?id={product.id}").text
    token = page.partition('name="token"')[2].partition('value="')[2].partition('"')[0]
    assert len(token) > 16

    answers = [send(client, product, token=token).status_code for _ in range(2)]

    assert answers == [303, 303]
    session.refresh(product)
    assert (product.stock, len(ledger(session))) == (15, 1)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST, Role.OPERATOR])
def test_it_is_for_those_who_may(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product, role: Role
) -> None:
    sign_in(role)

    assert client.get(f"/admin/products/stock/?id={product.id}").status_code == 403
    assert send(client, product).status_code == 403
    assert ledger(session) == []
    if Permission.CATALOGUE_READ in GRANTS[role]:
        record = client.get(f"/admin/products/details/?id={product.id}").text
        assert "/admin/products/stock/" not in record
        assert "/admin/stock_take/" not in record


def test_each_permission_opens_its_own_choice(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(GRANTS, Role.SUPPORT, GRANTS[Role.SUPPORT] | {Permission.STOCK_RECEIVE})
    sign_in(Role.SUPPORT)

    page = client.get(f"/admin/products/stock/?id={product.id}").text

    assert 'value="receive"' in page
    assert 'value="write_off"' not in page
    refused = send(client, product, kind="write_off", quantity="1", reason="x")
    assert (refused.status_code, ledger(session)) == (422, [])


def test_a_product_that_is_not_there_is_not_found(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    sign_in(Role.MANAGER)

    for key in ("", "0", "x", str(product.id + 1)):
        assert client.get(f"/admin/products/stock/?id={key}").status_code == 404
