"""The first page: what waits, how the shop does, and for whom."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import OrderStatus, User
from backoffice.reports import home
from tests.factories import make_order, make_product, take_off
from tests.pages import words

SignIn = Callable[[Role], User]
TODAY = date(2026, 3, 31)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def shop_today(app: Flask) -> date:
    return datetime.now(ZoneInfo(app.config["SHOP_TIMEZONE"])).date()


def make_shop(session: Session) -> None:
    """Two orders to pay, three to ship, one article that runs low, and some that do not count."""
    one = (make_product(session, stock=100), 1, Decimal(10))
    for status, times in [(OrderStatus.PENDING, 2), (OrderStatus.PAID, 1)]:
        for _ in range(times):
            make_order(session, one, status=status)
    for _ in range(2):
        make_order(session, one, status=OrderStatus.PROCESSING)
    make_order(session, one, status=OrderStatus.COMPLETED)
    make_product(session, stock=5, low_stock_threshold=5)
    make_product(session, stock=0, low_stock_threshold=5, is_available=False)


def test_the_queues_count_exactly_their_rows(session: Session) -> None:
    make_shop(session)

    assert home.count_queues(session, home.QUEUES) == {"to_pay": 2, "to_ship": 3, "low_stock": 1}
    assert home.count_queues(session, ["low_stock"]) == {"low_stock": 1}
    assert home.count_queues(session, []) == {}


def test_every_count_leads_to_exactly_its_rows(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    make_shop(session)
    sign_in(Role.MANAGER)
    page = client.get("/admin/").text
    links = re.findall(r'<a class="queue panel" href="([^"]+)">.*?queue-count[^>]*>([^<]+)<', page)

    assert [count for _url, count in links] == ["2", "3", "1"]
    for url, count in links:
        rows = client.get(url.replace("&amp;", "&")).text.partition("<tbody>")[2].count("<tr")
        assert rows == int(count), url


def test_a_count_stops_at_its_limit_and_says_so(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_shop(session)
    monkeypatch.setattr("backoffice.reports.home.COUNTED", 2)
    monkeypatch.setattr("backoffice.admin.home.COUNTED", 2)
    sign_in(Role.MANAGER)

    page = words(client.get("/admin/"))

    assert "To pay 2 Placed" in page
    assert "To ship 2+ Paid" in page


def test_revenue_is_that_of_thirty_days_against_the_thirty_before(session: Session) -> None:
    product = make_product(session)
    for days_ago, price in [(0, 5), (29, 7), (30, 11), (59, 13), (60, 100)]:
        day = TODAY - timedelta(days=days_ago)
        make_order(session, (product, 2, Decimal(price)), placed_at=noon(day))
    make_order(session, (product, 1, Decimal(99)), placed_at=noon(TODAY), currency="EUR")
    make_order(
        session, (product, 1, Decimal(99)), placed_at=noon(TODAY), status=OrderStatus.PENDING
    )

    revenue = home.recent_revenue(session, TODAY, "GBP")

    assert (revenue.total, revenue.before) == (Decimal("24.00"), Decimal("48.00"))
    assert revenue.change == Decimal("-50.0")
    assert revenue.highest == Decimal("26.00")
    assert len(revenue.days) == 30
    assert revenue.days[0] == home.Day(date(2026, 3, 2), Decimal("14.00"), Decimal("26.00"))
    assert revenue.days[-1] == home.Day(TODAY, Decimal("10.00"), Decimal("22.00"))


def test_without_former_revenue_there_is_no_percentage(session: Session) -> None:
    make_order(session, (make_product(session), 1, Decimal(5)), placed_at=noon(TODAY))

    assert home.recent_revenue(session, TODAY, "GBP").change is None


def test_the_page_of_an_empty_shop_says_what_to_expect(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    page = words(client.get("/admin/"))

    assert "To pay 0" in page
    assert "0.00 GBP" in page
    assert "There are no orders yet." in page
    assert "%" not in page


def test_the_revenue_leads_to_the_orders_that_were_paid_in_it(
    session: Session, app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    product, today = make_product(session), shop_today(app)
    for days_ago in (0, 29, 30):
        placed = noon(today - timedelta(days=days_ago))
        make_order(session, (product, 1, Decimal(10)), placed_at=placed)
    sign_in(Role.MANAGER)

    page = client.get("/admin/").text
    link = re.search(r'class="revenue-total"><a href="([^"]+)">([^<]+)<', page)

    assert link is not None
    assert link[2] == "20.00"
    assert link[1].replace("&amp;", "&") == (
        f"/admin/orders/?paid_on.from={today - timedelta(days=29)}&paid_on.to={today}"
    )


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.ANALYST, {"To pay", "Low stock", "Revenue of", "Newest orders"}),
        (Role.SUPPORT, {"To pay", "Low stock", "Newest orders"}),
        (Role.MANAGER, {"To pay", "Low stock", "Revenue of", "Newest orders"}),
        (Role.OPERATOR, set()),
        (Role.ADMIN, {"To pay", "Low stock", "Revenue of", "Newest orders"}),
    ],
)
def test_everybody_sees_what_their_permissions_allow(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role, seen: set[str]
) -> None:
    make_shop(session)
    sign_in(role)

    page = words(client.get("/admin/"))

    parts = {"To pay", "Low stock", "Revenue of", "Newest orders"}
    assert {part for part in parts if part in page} == seen


@pytest.mark.parametrize("path", ["/admin/", "/admin/profile/", "/admin/palette/?q=1003"])
def test_a_page_of_the_shell_takes_eight_statements_at_most(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    make_shop(session)
    sign_in(Role.ADMIN)
    caplog.set_level("INFO", "backoffice.request")

    assert client.get(path).status_code == 200

    assert caplog.records[-1].facts["statements"] <= 8  # type: ignore[attr-defined]


def test_a_discount_is_no_revenue(session: Session) -> None:
    order = make_order(session, (make_product(session), 2, Decimal(10)), placed_at=noon(TODAY))
    take_off(session, order, Decimal("2.50"))

    assert home.recent_revenue(session, TODAY, "GBP").total == Decimal("17.50")
