"""A price that is changed in the form leaves its history, and only those who may can change it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import GRANTS, Permission, Role
from backoffice.models import ChangeSet, PriceChange, Product, User
from tests.factories import count, make_product
from tests.pages import post, words

SignIn = Callable[[Role], User]
TEN = Decimal(10)


@pytest.fixture
def product(session: Session) -> Product:
    return make_product(session, sku="MUG", name="Mug", price=TEN)


def edit(client: FlaskClient, product: Product, **values: Any) -> TestResponse:
    form = {
        "sku": product.sku,
        "name": product.name,
        "price": f"{product.price}",
        "low_stock_threshold": "5",
        "is_available": "y",
        "row_version": str(product.version),
    }
    return post(client, f"/admin/products/edit/?id={product.id}", **(form | values))


def prices(session: Session) -> list[tuple[Decimal | None, Decimal, str]]:
    rows = session.scalars(sa.select(PriceChange).order_by(PriceChange.id))
    return [(row.old_price, row.new_price, row.actor_name) for row in rows]


def without_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    without = GRANTS[Role.MANAGER] - {Permission.PRICE_CHANGE}
    monkeypatch.setitem(GRANTS, Role.MANAGER, without)


def test_a_new_price_leaves_the_old_one_in_the_history(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    manager = sign_in(Role.MANAGER)

    assert edit(client, product, price="12.50").status_code == 302

    session.refresh(product)
    assert product.price == Decimal("12.50")
    assert prices(session) == [(TEN, Decimal("12.50"), manager.username)]
    assert session.scalars(sa.select(PriceChange.actor_id)).one() == manager.id


def test_an_edit_that_keeps_the_price_leaves_no_history(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    sign_in(Role.MANAGER)

    assert edit(client, product, name="Cup", price="10.0").status_code == 302

    assert (count(session, ChangeSet), prices(session)) == (1, [])


def test_an_edit_that_is_refused_leaves_no_history(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    make_product(session, sku="CUP")
    sign_in(Role.MANAGER)

    assert edit(client, product, sku="CUP", price="12").status_code == 200

    session.refresh(product)
    assert (product.price, prices(session), count(session, ChangeSet)) == (TEN, [], 0)


def test_taking_a_price_back_is_a_new_change(
    session: Session, client: FlaskClient, sign_in: SignIn, product: Product
) -> None:
    manager = sign_in(Role.MANAGER).username
    edit(client, product, price="12")
    made = session.scalars(sa.select(ChangeSet.id)).one()
    session.refresh(product)

    post(client, "/admin/products/revert/", change_set=made, row_version=product.version)

    assert prices(session) == [(TEN, Decimal(12), manager), (Decimal(12), TEN, manager)]


def test_the_first_price_of_a_product_replaces_none(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    new = {"sku": "NEW", "name": "New", "price": "3", "low_stock_threshold": "5"}
    assert post(client, "/admin/products/new/", **new).status_code == 302

    assert (count(session, Product), prices(session)) == (1, [])


def test_who_may_not_change_prices_sees_the_price_and_cannot_send_another(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_the_permission(monkeypatch)
    sign_in(Role.MANAGER)

    form = client.get(f"/admin/products/edit/?id={product.id}")
    field = form.text.partition('name="price"')[0].rpartition("<")[2]
    rest = form.text.partition('name="price"')[2].partition(">")[0]
    assert "readonly" in field + rest
    assert 'value="10.00"' in field + rest
    assert "Your role may not change prices." in words(form)

    assert edit(client, product, name="Cup", price="12").status_code == 302
    session.refresh(product)
    assert (product.name, product.price, prices(session)) == ("Cup", TEN, [])


def test_who_may_not_change_prices_cannot_take_a_price_back(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_in(Role.MANAGER)
    edit(client, product, price="12")
    made = session.scalars(sa.select(ChangeSet.id)).one()
    session.refresh(product)
    without_the_permission(monkeypatch)

    post(client, "/admin/products/revert/", change_set=made, row_version=product.version)

    session.refresh(product)
    assert (product.price, len(prices(session)), count(session, ChangeSet)) == (Decimal(12), 1, 1)
