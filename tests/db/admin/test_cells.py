"""What a list shows of a moment and of money."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.formatters import age
from backoffice.models import User
from tests.factories import make_order, make_product, make_tag
from tests.pages import words

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def manager(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.MANAGER)


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=0), "just now"),
        (timedelta(seconds=59.9), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), None),
        (timedelta(seconds=-1), None),
    ],
)
def test_a_moment_of_the_last_week_is_told_by_its_age(
    monkeypatch: pytest.MonkeyPatch, passed: timedelta, told: str | None
) -> None:
    monkeypatch.setattr("backoffice.admin.formatters.utc_now", lambda: NOW)

    assert age(NOW - passed) == told


def test_a_list_tells_the_age_and_keeps_the_exact_moment(
    session: Session, client: FlaskClient, app: Flask, manager: User
) -> None:
    tag = make_tag(session, "fragile")
    tag.updated_at = datetime.now(UTC) - timedelta(hours=3, minutes=1)
    session.commit()
    exact = tag.updated_at

    page = client.get("/admin/tags/").text

    (told,) = re.findall(r'<time class="ago".*?</time>', page)
    assert f'datetime="{exact.isoformat()}"' in told
    assert '<span class="near">3 h ago</span>' in told
    assert re.search(r'<span class="exact">\d{4}-\d\d-\d\d \d\d:\d\d</span>', told)


def test_a_record_tells_moments_exactly(
    session: Session, client: FlaskClient, manager: User
) -> None:
    key = make_tag(session, "fragile").id

    page = client.get(f"/admin/tags/details/?id={key}").text

    assert 'class="ago"' not in page
    assert 'title="' in page


def test_money_carries_the_currency_of_its_row(
    session: Session, client: FlaskClient, manager: User
) -> None:
    product = make_product(session, price=Decimal("1234.5"))
    make_order(session, (product, 1, Decimal("12.50")), number="A1", currency="EUR")
    make_order(session, (product, 2, Decimal("0.755")), number="A2", currency="JPY")

    orders, items = words(client.get("/admin/orders/")), words(client.get("/admin/order_items/"))

    assert "12.50 EUR" in orders
    assert "1.51 JPY" in orders
    assert "0.755 JPY 1.51 JPY" in items
    assert "12.50 EUR 12.50 EUR" in items


def test_prices_are_in_the_currency_of_the_shop_and_aligned_as_numbers(
    session: Session, client: FlaskClient, app: Flask, manager: User
) -> None:
    make_product(session, price=Decimal("1234.5"))

    page = client.get("/admin/products/").text

    currency = app.config["SHOP_CURRENCY"]
    assert f'<td class="number">1,234.50 <span class="currency">{currency}</span></td>' in re.sub(
        r' data-[\w-]+="[^"]*"', "", page
    )


def test_a_rate_is_no_money(app: Flask) -> None:
    (admin,) = app.extensions["admin"]
    money = {view.endpoint: view.money for view in admin._views if hasattr(view, "money")}

    assert money["products"] == {"price", "unit_cost"}
    assert "tax_rate" not in money["order_items"]
    assert "line_total" in money["order_items"]
