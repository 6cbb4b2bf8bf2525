"""Numbers that no column can hold are refused where they are typed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.models import BulkPlan, SavedView, User
from tests.db.services.shopping import paid_order, stocked
from tests.factories import count, make_product
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(session: Session, sign_in: SignIn) -> User:
    return sign_in(Role.MANAGER)


@pytest.mark.parametrize("name", ["stock", "stock.min", "stock.max"])
@pytest.mark.parametrize("value", ["2147483648", "-2147483649", "99999999999"])
def test_a_filter_refuses_a_number_that_its_column_cannot_hold(
    session: Session, client: FlaskClient, name: str, value: str
) -> None:
    make_product(session, stock=3)

    page = client.get(f"/admin/products/?{name}={value}")

    assert page.status_code == 200
    assert f"Stock: '{value}' is not a number that can occur here." in words(page)


def test_a_jump_beyond_all_numbers_ends_at_the_end_of_the_list(
    session: Session, client: FlaskClient
) -> None:
    make_product(session, stock=3)

    def jump(sort: str, to: str) -> str:
        answer = client.get(f"/admin/products/jump?sort={sort}&to={to}")
        assert client.get(answer.location).status_code == 200
        return answer.location

    assert jump("stock", "99999999999").endswith("?sort=stock&at=end")
    assert jump("-stock", "-99999999999").endswith("?sort=-stock&at=end")
    assert "&after=" in jump("stock", "-99999999999")
    assert "&after=" in jump("-stock", "99999999999")


@pytest.mark.parametrize("key", ["9" * 25, "9" * 5000])
def test_a_view_of_an_impossible_key_is_not_found(
    session: Session, client: FlaskClient, key: str
) -> None:
    assert post(client, "/admin/products/views/delete/", id=key).status_code == 404
    assert count(session, SavedView) == 0


@pytest.mark.parametrize("amount", ["1e30", "-1e999999", "9" * 40])
def test_a_price_rule_refuses_a_number_that_cannot_even_be_rounded(
    session: Session, client: FlaskClient, amount: str
) -> None:
    product = make_product(session, price=Decimal(5))

    page = post(
        client, "/admin/products/bulk/", action="change_price", rowid=product.id, asked="1",
        rule="set", amount=amount,
    )  # fmt: skip

    assert "This number is too large." in words(page)
    assert count(session, BulkPlan) == 0


def test_a_number_of_units_of_thousands_of_digits_is_said_at_its_field(
    session: Session, client: FlaskClient, shell: Actor
) -> None:
    order = paid_order(session, shell, (stocked(session), 2))
    item, version = order.items[0], order.version

    page = post(
        client, "/admin/orders/act/ship/", id=order.id, version=version,
        **{f"lines.{item.id}.quantity": "9" * 5000},
    )  # fmt: skip

    assert page.status_code == 422
    assert "Write a whole number." in words(page)
    session.refresh(order)
    assert (order.version, order.items[0].quantity_shipped) == (version, 0)
