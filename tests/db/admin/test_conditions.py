"""A field that does not matter now keeps what it had, and nobody's input is lost in silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.conditions import When
from backoffice.admin.products import ProductView
from backoffice.models import ChangeSet, Product, User
from tests.db.admin.test_declarations import build
from tests.factories import count, make_product
from tests.pages import post

NEW = {"sku": "A", "name": "x", "price": "1"}


@pytest.fixture(autouse=True)
def manager(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.MANAGER)


@pytest.fixture
def product(session: Session) -> Product:
    return make_product(session, sku="A", name="x", low_stock_threshold=7)


def save(client: FlaskClient, product: Product, **fields: str) -> str:
    values = NEW | {"row_version": "1"} | fields
    return post(client, f"/admin/products/edit/?id={product.id}", **values).text


def test_a_form_says_when_a_field_matters(client: FlaskClient, product: Product) -> None:
    page = client.get(f"/admin/products/edit/?id={product.id}").text

    assert 'data-when="is_available" data-values="[&#34;true&#34;]">' in page
    assert 'id="low_stock_threshold-when">Used only while the product is available.' in page
    assert 'aria-describedby="low_stock_threshold-help low_stock_threshold-when"' in page


def test_a_field_that_does_not_matter_is_marked(
    session: Session, client: FlaskClient, product: Product
) -> None:
    product.is_available = False
    session.commit()

    page = client.get(f"/admin/products/edit/?id={product.id}").text

    assert "data-unmet>" in page


def test_a_field_that_was_not_sent_keeps_what_it_had(
    session: Session, client: FlaskClient, product: Product
) -> None:
    save(client, product, name="archived")

    session.refresh(product)
    assert (product.name, product.is_available, product.low_stock_threshold) == (
        "archived",
        False,
        7,
    )


def test_a_field_that_was_sent_as_it_was_is_no_mistake(
    session: Session, client: FlaskClient, product: Product
) -> None:
    save(client, product, low_stock_threshold="7")

    session.refresh(product)
    assert (product.is_available, product.low_stock_threshold) == (False, 7)


@pytest.mark.parametrize("typed", ["8", "", "x"])
def test_a_field_that_was_changed_though_it_does_not_matter_is_refused(
    session: Session, client: FlaskClient, product: Product, typed: str
) -> None:
    page = save(client, product, name="archived", low_stock_threshold=typed)

    assert 'id="low_stock_threshold-error">' in page
    assert "data-unmet" not in page
    session.refresh(product)
    assert (product.name, product.is_available, product.low_stock_threshold) == ("x", True, 7)
    assert count(session, ChangeSet) == 0


def test_a_field_that_matters_is_checked_and_saved_as_ever(
    session: Session, client: FlaskClient, product: Product
) -> None:
    refused = save(client, product, is_available="y", low_stock_threshold="-1")
    assert 'id="low_stock_threshold-error">Zero or more.' in refused

    save(client, product, is_available="y", low_stock_threshold="8")

    session.refresh(product)
    assert product.low_stock_threshold == 8


def test_a_new_row_gets_the_default(session: Session, client: FlaskClient) -> None:
    post(client, "/admin/products/new/", **NEW)

    made = session.scalars(sa.select(Product)).one()
    assert (made.is_available, made.low_stock_threshold) == (False, 5)


@pytest.mark.parametrize(
    ("name", "when", "message"),
    [
        ("name", When("is_available", (True,), "?"), "it needs a default"),
        ("unit_cost", When("stock", (0,), "?"), "cannot depend on stock"),
        ("unit_cost", When("category", (1,), "?"), "about columns, not category"),
        ("tags", When("is_available", (True,), "?"), "about columns, not tags"),
    ],
)
def test_a_condition_that_cannot_work_does_not_start(
    app: Flask, name: str, when: When, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        build(app, ProductView, conditions={name: when})
