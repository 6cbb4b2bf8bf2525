"""The page of a customer: all orders, what they are worth, and what staff noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role
from backoffice.models import (
    Order,
    OrderEventKind,
    OrderStatus,
    Refund,
    RefundKind,
    RefundStatus,
    User,
)
from backoffice.reports import customers as reports
from tests.factories import (
    make_order,
    make_order_event,
    make_payment,
    make_product,
    make_profile,
    make_refund,
    make_user,
    take_off,
)
from tests.pages import words

SignIn = Callable[[Role], User]
JANUARY = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def ada(session: Session) -> User:
    """A customer with two orders, one as a guest; and what is not theirs."""
    ada = make_user(session, username="ada", email="ada@example.com")
    make_profile(session, ada, full_name="Ada Example", phone_number="0049-1")
    mug = make_product(session, name="Mug")

    def buy(price: int, month: int, **values: object) -> Order:
        placed = JANUARY + timedelta(days=30 * month)
        lines = [(mug, 2, Decimal(price))]
        return make_order(session, *lines, placed_at=placed, **values)  # type: ignore[arg-type]

    first = buy(50, 0, user=ada, number="A1", email="old@example.com")
    buy(25, 1, number="A2", email="ada@example.com")
    buy(10, 2, user=ada, number="A3", status=OrderStatus.PENDING)
    buy(7, 3, number="B1", email="bob@example.com")
    buy(7, 3, number="B2", email="ada@example.com", user=make_user(session))
    payment = make_payment(session, first)
    make_refund(session, payment, (first.items[0], 1, Decimal(30)))
    make_refund(session, payment, (first.items[0], 0, Decimal(1)), status=RefundStatus.FAILED)
    make_order_event(session, first, OrderEventKind.NOTE_ADDED, body="Rang at noon")
    return ada


def facts(response: object) -> str:
    """Return what the page says between its heading and the end of the figures."""
    text = words(response)  # type: ignore[arg-type]
    return text[text.index("Purchases") : text.index("Purchases") + 400]


def test_a_discount_is_no_value(session: Session, client: FlaskClient, sign_in: SignIn) -> None:
    user = make_user(session)
    order = make_order(session, (make_product(session), 2, Decimal(10)), user=user)
    take_off(session, order, Decimal("2.50"))
    sign_in(Role.SUPPORT)

    said = facts(client.get(f"/admin/customers/details/?id={user.id}"))

    assert "Lifetime value 17.50 GBP" in said


def test_a_customer_is_worth_what_they_paid_less_what_they_got_back(
    ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.SUPPORT)

    said = facts(client.get(f"/admin/customers/details/?id={ada.id}"))

    # 100 and, as a guest, 50; of it 30 came back. The third order was not paid.
    assert "Lifetime value 120.00 GBP Paid orders 2 of 3 Average order 75.00 GBP" in said
    assert "Refunds 30.00 GBP in 1 First order 2026-01-05" in said
    assert "Last order 2026-03-06" in said


def test_amounts_of_two_currencies_are_not_added_up(
    session: Session, ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    make_order(session, (make_product(session), 1, Decimal(9)), user=ada, currency="EUR")
    sign_in(Role.SUPPORT)

    said = facts(client.get(f"/admin/customers/details/?id={ada.id}"))

    assert "Lifetime value 9.00 EUR Paid orders 1 Average order 9.00 EUR Refunds none" in said
    assert "Lifetime value 120.00 GBP" in said


def test_orders_as_a_guest_are_among_the_orders(
    ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.SUPPORT)

    page = client.get(f"/admin/customers/details/?id={ada.id}").text
    listed = client.get(f"/admin/orders/?user={ada.id}").text

    assert [number for number in ("A1", "A2", "A3", "B1", "B2") if f">{number}<" in page] == [
        "A1", "A2", "A3",
    ]  # fmt: skip
    assert f'href="/admin/orders/?user={ada.id}">All 3<' in page
    assert listed.partition("<tbody>")[2].count("<tr") == 3
    assert "Rang at noon" in page
    assert "0049-1" in page


def test_a_credit_note_without_an_order_counts(
    session: Session, ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    session.add(
        Refund(
            number="CN1", kind=RefundKind.CREDIT_NOTE, user_id=ada.id, currency="GBP",
            status=RefundStatus.SUCCEEDED, amount=Decimal(9), shipping_amount=Decimal(2),
            reason="Goodwill", actor_name="tester", processed_at=JANUARY,
            processed_on=JANUARY.date(),
        )
    )  # fmt: skip
    session.commit()
    sign_in(Role.SUPPORT)

    said = facts(client.get(f"/admin/customers/details/?id={ada.id}"))

    assert "Refunds 37.00 GBP in 2" in said


def test_somebody_who_bought_nothing_has_a_page(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = make_user(session)
    sign_in(Role.SUPPORT)

    page = words(client.get(f"/admin/customers/details/?id={user.id}"))

    assert "Nothing was ordered yet." in page


def test_figures_of_very_many_orders_say_that_they_were_cut(
    ada: User, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_ORDERS", 2)
    sign_in(Role.SUPPORT)

    page = words(client.get(f"/admin/customers/details/?id={ada.id}"))

    assert "more orders than are added up here" in page


def test_a_guest_is_known_by_the_e_mail_of_an_order(
    session: Session, ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    mug = make_product(session)
    guest: dict[str, Any] = {"email": "guest@example.com", "customer_name": "Gus Guest"}
    orders = [make_order(session, (mug, 1, Decimal(5)), number=f"G{n}", **guest) for n in (1, 2)]
    make_order_event(session, orders[1], OrderEventKind.NOTE_ADDED, body="Likes blue")
    sign_in(Role.SUPPORT)

    page = client.get(f"/admin/customers/guest/?order={orders[0].id}")

    said = words(page)
    assert "guest@example.com" in said
    assert "Lifetime value 10.00 GBP Paid orders 2 Average order 5.00 GBP" in said
    assert "Likes blue" in said
    assert [n for n in ("G1", "G2", "A1", "B1") if f">{n}<" in page.text] == ["G1", "G2"]


def test_an_order_leads_to_the_account_where_there_is_one(
    session: Session, ada: User, client: FlaskClient, sign_in: SignIn
) -> None:
    orders = {order.number: order.id for order in session.scalars(sa.select(Order))}
    sign_in(Role.SUPPORT)

    for number in ("A1", "A2"):
        answer = client.get(f"/admin/customers/guest/?order={orders[number]}")
        assert answer.location == f"/admin/customers/details/?id={ada.id}"


def test_an_order_of_nobody_leads_nowhere(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))
    sign_in(Role.SUPPORT)

    for key in (order.id, 999, "x", ""):
        assert client.get(f"/admin/customers/guest/?order={key}").status_code == 404


def test_staff_are_no_customers(session: Session, client: FlaskClient, sign_in: SignIn) -> None:
    staff = sign_in(Role.ADMIN)

    assert client.get(f"/admin/customers/details/?id={staff.id}").status_code == 404
    assert staff.username not in client.get("/admin/customers/").text.partition("<main")[2]


def test_what_was_bought_is_for_those_who_may_see_orders(
    ada: User, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(Role.SUPPORT)
    without = GRANTS[Role.SUPPORT] - {Permission.ORDER_READ}
    monkeypatch.setitem(GRANTS, Role.SUPPORT, without)

    page = words(client.get(f"/admin/customers/details/?id={ada.id}"))

    assert "Ada Example" in page
    assert "Lifetime" not in page
    assert "Rang at noon" not in page
    assert client.get("/admin/customers/guest/?order=1").status_code == 403


@pytest.mark.parametrize("path", ["details/?id={id}", "guest/?order={order}"])
def test_the_page_takes_six_statements_at_most(
    session: Session, ada: User, client: FlaskClient, sign_in: SignIn,
    caplog: pytest.LogCaptureFixture, path: str,
) -> None:  # fmt: skip
    guest = make_order(session, (make_product(session), 1, Decimal(5)), email="g@example.com")
    address = path.format(id=ada.id, order=guest.id)
    sign_in(Role.ADMIN)
    caplog.set_level("INFO", "backoffice.request")

    assert client.get(f"/admin/customers/{address}").status_code == 200

    # Less the savepoint of the test itself.
    assert caplog.records[-1].facts["statements"] - 1 <= 6  # type: ignore[attr-defined]
