"""Credit notes of a sales file: refunds on their day, of the sale that they take back if known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import utc_now
from backoffice.formats.mappings import load_mapping
from backoffice.models import (
    Order,
    OrderItem,
    Payment,
    Product,
    Refund,
    RefundItem,
    StockMovement,
    User,
)
from backoffice.services.carts import Buyer
from backoffice.services.imports import ImportRules, ImportSummary, import_orders
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import request_refund, settle_refund
from tests.db.services.sales_files import line, sales_file
from tests.db.services.shopping import SHOP, paid_order, shipped_order, stocked
from tests.factories import count, make_user

MAPPING = load_mapping(Path(__file__).resolve().parents[3] / "seeds/mappings/online_retail.toml")
RULES = ImportRules(MAPPING, ZoneInfo("Europe/London"), "GBP")
Import = Callable[..., ImportSummary]
_ALONE = ("C2001", None, 1, Decimal("2.50"))
JUNE, JULY, AUGUST = (f"2011-{month:02}-01 12:00:00" for month in (6, 7, 8))


@pytest.fixture
def run(session: Session, shell: Actor, tmp_path: Path) -> Import:
    def build(*lines: str, rules: ImportRules = RULES, **options: Any) -> ImportSummary:
        try:
            return import_orders(shell, sales_file(tmp_path, *lines), rules, **options)
        finally:
            session.expire_all()

    return build


def sale(number: str, at: str, **values: Any) -> str:
    return line(number, at=at, **values)


def credit(number: str = "C2001", at: str = AUGUST, **values: Any) -> str:
    return line(number, at=at, **{"quantity": -1, **values})


def linked(session: Session) -> list[tuple[str, str | None, int, Decimal]]:
    """Each article that was given back: its note, the order it was sold by, how many, how much."""
    rows = session.execute(
        sa.select(Refund.number, Order.number, RefundItem.quantity, RefundItem.amount)
        .join(RefundItem.refund)
        .outerjoin(OrderItem, OrderItem.id == RefundItem.order_item_id)
        .outerjoin(Order, Order.id == OrderItem.order_id)
        .order_by(RefundItem.id)
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def refunded(session: Session) -> dict[str, int]:
    rows = session.execute(
        sa.select(Order.number, OrderItem.quantity_refunded).join(OrderItem.order)
    )
    return dict(list(rows))


def test_a_credit_note_is_a_refund_on_its_own_day(session: Session, run: Import) -> None:
    summary = run(sale("1001", JULY, quantity=5), credit(quantity=-2))

    assert (summary.accepted, summary.credited, summary.credit_notes, summary.linked) == (
        1,
        1,
        1,
        1,
    )
    note = session.scalars(sa.select(Refund)).one()
    assert (note.kind, note.status, note.amount) == ("credit_note", "succeeded", Decimal("5.00"))
    assert note.processed_on == date(2011, 8, 1)
    assert note.order is not None
    assert note.user is not None
    assert (note.order.number, note.user.username) == ("1001", "17850")
    assert (note.country, note.currency, note.payment_id) == ("United Kingdom", "GBP", None)
    assert linked(session) == [("C2001", "1001", 2, Decimal("5.00"))]
    assert refunded(session) == {"1001": 2}
    assert count(session, StockMovement) == 0


def test_an_imported_order_is_paid(session: Session, run: Import) -> None:
    run(sale("1001", JULY, quantity=5))

    payment = session.scalars(sa.select(Payment)).one()
    assert (payment.provider, payment.provider_ref, payment.status) == (
        "external", "1001", "captured",
    )  # fmt: skip
    assert payment.captured_amount == payment.order.total_amount == Decimal("12.50")
    assert payment.captured_at == payment.order.paid_at


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        # The latest earlier sale.
        ([sale("1", JUNE), sale("2", JULY), credit()], ["2"]),
        # A later one is not what was given back.
        ([sale("1", JUNE), sale("2", AUGUST), credit(at=JULY)], ["1"]),
        # With enough left: the latest has too few.
        ([sale("1", JUNE, quantity=9), sale("2", JULY), credit(quantity=-3)], ["1"]),
        # What one note took, the next cannot.
        ([sale("1", JUNE), sale("2", JULY), credit(quantity=-2), credit("C3", quantity=-2)],
         ["2", "1"]),
        # Nothing left at all.
        ([sale("1", JUNE), credit(quantity=-2), credit("C3")], ["1", None]),
        # The earlier note chooses first, wherever it is in the file.
        ([sale("1", JUNE), credit("C3", at=AUGUST, quantity=-2), credit("C2", at=JULY)],
         [None, "1"]),
        # Another customer, another article, a guest.
        ([sale("1", JUNE, customer="99"), credit()], [None]),
        ([sale("1", JUNE, sku="B2"), credit()], [None]),
        ([sale("1", JUNE, customer=""), credit(customer="")], [None]),
        # More money than was paid for it.
        ([sale("1", JUNE), credit(price="2.51")], [None]),
    ],
)  # fmt: skip
def test_the_sale_that_is_taken_back(
    session: Session, run: Import, lines: list[str], found: list[str | None]
) -> None:
    run(*lines)

    assert [order for _, order, _, _ in linked(session)] == found


def test_a_note_of_no_known_sale_stands_for_itself(session: Session, run: Import) -> None:
    summary = run(credit(customer="4711", quantity=-3, sku="X9", name="Lamp"))

    assert (summary.credited, summary.linked, summary.orders) == (1, 0, 0)
    item = session.scalars(sa.select(RefundItem)).one()
    assert (item.refund.order_id, item.order_item_id) == (None, None)
    assert (item.sku, item.product_name, item.quantity) == ("X9", "Lamp", 3)
    assert item.product is not None
    assert (item.product.sku, item.product.stock) == ("X9", 0)
    assert session.scalars(sa.select(User.username)).all() == ["4711"]


def test_lines_of_one_article_are_one_item(session: Session, run: Import) -> None:
    run(sale("1001", JULY, quantity=5), credit(quantity=-2), credit(quantity=-1, price="2.00"))

    assert linked(session) == [("C2001", "1001", 3, Decimal("7.00"))]
    assert session.scalars(sa.select(Refund.amount)).one() == Decimal("7.00")


def test_a_note_of_several_orders_names_none(session: Session, run: Import) -> None:
    run(
        sale("1", JUNE), sale("2", JULY, sku="B2"),
        credit(), credit(sku="B2"),
    )  # fmt: skip

    assert [order for _, order, _, _ in linked(session)] == ["1", "2"]
    assert session.scalars(sa.select(Refund.order_id)).one() is None


def test_the_same_file_again_changes_nothing(session: Session, run: Import) -> None:
    lines = (sale("1001", JULY), credit(), credit("C2", sku="Z1"))
    run(*lines)

    again = run(*lines)

    assert (again.accepted, again.credited, again.unchanged) == (0, 0, 3)
    assert (again.orders_unchanged, again.credit_notes_unchanged) == (1, 2)
    assert (count(session, Refund), refunded(session)) == (2, {"1001": 1})


@pytest.mark.parametrize(
    "other", [credit(quantity=-2), credit(price="2.00"), credit(customer="99"), credit(sku="B2")]
)
def test_a_known_number_with_other_content_is_refused(
    session: Session, run: Import, other: str
) -> None:
    run(sale("1001", JULY), credit())

    again = run(other)

    assert again.rejected == {"the order already exists with other content": 1}
    assert linked(session) == [("C2001", "1001", 1, Decimal("2.50"))]


def test_a_later_file_finds_the_sales_of_an_earlier_one(session: Session, run: Import) -> None:
    run(sale("1001", JULY))
    run(credit())

    assert linked(session) == [("C2001", "1001", 1, Decimal("2.50"))]


def test_units_whose_refund_is_on_its_way_are_not_taken_back_again(
    session: Session, shell: Actor, run: Import
) -> None:
    run(sale("1001", JULY, quantity=1))
    order = session.scalars(sa.select(Order)).one()
    asked = [RefundLine(order.items[0].id, 1)]
    made = request_refund(shell, order.id, lines=asked, reason="x", key="k", shop=SHOP)

    run(credit())
    settle_refund(shell, made.id, shop=SHOP)

    assert linked(session) == [(made.number, "1001", 1, Decimal("2.50")), _ALONE]
    session.expire_all()
    assert refunded(session) == {"1001": 1}


@pytest.mark.parametrize("is_shipped", [True, False])
def test_only_what_has_left_is_taken_back(
    session: Session, shell: Actor, run: Import, is_shipped: bool
) -> None:
    buyer = Buyer(make_user(session, username="17850").id)
    product = stocked(session, sku="A1", price=Decimal("2.50"))
    make = shipped_order if is_shipped else paid_order
    order = make(session, shell, (product, 1), buyer=buyer)
    tomorrow = utc_now() + timedelta(hours=20)

    rules = replace(RULES, currency="USD")
    run(credit(at=f"{tomorrow:%Y-%m-%d %H:%M:%S}"), rules=rules)

    assert refunded(session) == {order.number: int(is_shipped)}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (credit(quantity=3), "Quantity is not < 0"),
        (credit(quantity=0), "Quantity is not < 0"),
        (line("2002", quantity=-1), "Quantity is not > 0"),
        (credit(price="0"), "UnitPrice is not > 0"),
        (credit(price="0.001"), "the credit note gives nothing back"),
    ],
)
def test_what_is_no_credit_note_is_rejected(
    session: Session, run: Import, bad: str, reason: str
) -> None:
    summary = run(sale("1001", JULY), bad)

    assert summary.rejected == {reason: 1}
    assert (count(session, Refund), refunded(session)) == (0, {"1001": 0})


def test_a_dry_run_takes_nothing_back(session: Session, run: Import) -> None:
    summary = run(sale("1001", JULY), credit(), dry_run=True)

    assert (summary.credit_notes, summary.linked) == (1, 1)
    assert [count(session, model) for model in (Order, Refund, Product, Payment)] == [0, 0, 0, 0]
