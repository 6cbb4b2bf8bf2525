"""From anywhere in a list to a value in its order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role, staff_actor
from backoffice.models import Product, User
from backoffice.services.preferences import set_preferences
from tests.factories import make_order, make_user
from tests.pages import words

START = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def manager(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.MANAGER)


@pytest.fixture(autouse=True)
def rows(session: Session) -> None:
    """More products than a page shows, and an order a day."""
    session.add_all(
        Product(sku=f"P{n:03}", name=f"Mug {n:03}", price=Decimal(n), stock=n % 3)
        for n in range(120)
    )
    session.commit()
    customer = make_user(session)
    for n in range(60):
        make_order(session, placed_at=START + timedelta(days=n), number=f"N{n:02}", user=customer)


def first(client: FlaskClient, table: str, **asked: str) -> str:
    """Jump; return what the row that one is led to is called."""
    page = client.get(f"/admin/{table}/jump", query_string=asked, follow_redirects=True)
    found = re.search(r'class="row-link"[^>]*>([^<]+)<', page.text)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("sort", "to", "expected"),
    [
        ("sku", "P077", "P077"),
        ("sku", "P0775", "P078"),
        ("-sku", "P077", "P077"),
        ("price", "99", "P099"),
        ("price", "98.5", "P099"),
        ("-price", "98.5", "P098"),
        ("stock", "1", "P001"),
        ("-stock", "1", "P118"),
    ],
)
def test_the_list_begins_with_the_value_or_what_is_next_to_it(
    client: FlaskClient, sort: str, to: str, expected: str
) -> None:
    assert first(client, "products", sort=sort, to=to) == expected


@pytest.mark.parametrize(
    ("zone", "sort", "expected"),
    [
        ("UTC", "placed_at", "N10"),
        ("UTC", "-placed_at", "N10"),
        ("Europe/Paris", "placed_at", "N09"),
        ("Europe/Paris", "-placed_at", "N09"),
    ],
)
def test_a_day_is_that_of_the_viewer(
    client: FlaskClient, manager: User, zone: str, sort: str, expected: str
) -> None:
    set_preferences(staff_actor(manager.id, manager.username, manager.role), {"time_zone": zone})

    assert first(client, "orders", sort=sort, to="2026-01-11") == expected


def test_what_is_no_value_is_told_and_nothing_is_jumped(client: FlaskClient) -> None:
    for sort, to, sentence in [
        ("price", "cheap", "“cheap” is not a number."),
        ("price", "NaN", "“NaN” is not a number."),
        ("stock", "9" * 30, "is not a whole number."),
        ("-id", "x", "“x” is not a whole number."),
    ]:
        page = client.get(
            "/admin/products/jump", query_string={"sort": sort, "to": to}, follow_redirects=True
        )
        assert sentence in words(page)
        assert "after=" not in page.request.url
    page = client.get("/admin/orders/jump?sort=placed_at&to=9999-12-31", follow_redirects=True)
    assert page.status_code == 200


def test_past_the_end_one_comes_to_the_end(client: FlaskClient) -> None:
    answer = client.get("/admin/products/jump?sort=price&to=1,000")

    assert answer.location == "/admin/products/?sort=price&at=end"


def test_the_question_is_kept(client: FlaskClient) -> None:
    answer = client.get("/admin/products/jump?sort=sku&search=mug&stock=1&to=P050")

    assert answer.status_code == 302
    assert answer.location.startswith("/admin/products/?search=mug&stock=1&sort=sku&after=")


def test_a_list_offers_it_where_there_is_more_than_a_page(client: FlaskClient) -> None:
    assert 'id="jump-to" name="to" type="date"' in client.get("/admin/orders/").text
    assert 'inputmode="decimal"' in client.get("/admin/products/?sort=price").text
    assert "jump-to" not in client.get("/admin/products/?search=P001").text
    assert "jump-to" not in client.get("/admin/orders/?sort=status").text
