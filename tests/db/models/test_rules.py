"""What the tables of money and stock refuse by themselves, the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.models import (
    MovementKind,
    OrderEventKind,
    OrderItem,
    Payment,
    PaymentStatus,
    PriceChange,
    Refund,
    RefundItem,
    RefundKind,
    RefundStatus,
    StockMovement,
)
from tests.factories import (
    count,
    make_order,
    make_order_event,
    make_payment,
    make_price_change,
    make_product,
    make_refund,
    move_stock,
)

MOMENT = datetime(2026, 2, 1, tzinfo=UTC)
K = MovementKind


@pytest.fixture
def payment(session: Session) -> Payment:
    """A captured payment of 30 for an order of 3 units at 10."""
    order = make_order(session, (make_product(session, stock=0), 3, Decimal(10)))
    return make_payment(session, order)


def line_of(payment: Payment) -> OrderItem:
    return payment.order.items[0]


def refused(session: Session, row: Any, rule: str) -> None:
    """Assert that the row cannot be added, because of the rule, and is not."""
    model = type(row)
    before = count(session, model)
    session.add(row)
    with pytest.raises(IntegrityError, match=rule):
        session.flush()
    session.rollback()
    assert count(session, model) == before


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"amount": Decimal(0)}, "amount_positive"),
        ({"captured_amount": Decimal("30.01")}, "captured_within_amount"),
        ({"refunded_amount": Decimal("30.01")}, "refunds_within_captured"),
        (
            {"refunded_amount": Decimal("20"), "refund_pending_amount": Decimal("10.01")},
            "refunds_within_captured",
        ),
        ({"refund_pending_amount": Decimal("-0.01")}, "refunds_within_captured"),
        ({"status": PaymentStatus.VOIDED}, "captured_has_amount"),
        ({"captured_at": None}, "captured_has_moment"),
    ],
)
def test_a_payment_stays_within_its_amounts(
    session: Session, payment: Payment, values: dict[str, Any], rule: str
) -> None:
    for name, value in values.items():
        setattr(payment, name, value)
    with pytest.raises(IntegrityError, match=rule):
        session.commit()
    session.rollback()

    assert payment.captured_amount == Decimal(30)
    assert payment.refundable_amount == Decimal(30)


def test_amounts_that_binary_fractions_blur_are_exact_to_the_cent(session: Session) -> None:
    order = make_order(session, (make_product(session), 1, Decimal("0.30")))

    payment = make_payment(session, order)
    payment.refunded_amount, payment.refund_pending_amount = Decimal("0.10"), Decimal("0.20")
    session.commit()

    assert payment.refundable_amount == 0


def test_a_reference_of_a_provider_is_taken_once(session: Session, payment: Payment) -> None:
    again = Payment(
        order_id=payment.order_id,
        provider=payment.provider,
        provider_ref=payment.provider_ref,
        amount=Decimal(1),
    )

    refused(session, again, "uq_payments_provider_provider_ref|payments.provider_ref")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"amount": Decimal(0)}, "amount_positive"),
        ({"shipping_amount": Decimal(6), "tax_amount": Decimal(5)}, "parts_within_amount"),
        ({"processed_at": None, "processed_on": None}, "pending_until_processed"),
        ({"processed_on": None}, "processed_day_with_moment"),
        ({"payment_id": None}, "refund_has_payment"),
        ({"order_id": None}, "refund_has_order"),
        ({"idempotency_key": None}, "refund_has_key"),
        ({"kind": RefundKind.CREDIT_NOTE}, "refund_has_"),
        (
            {
                "kind": RefundKind.CREDIT_NOTE, "payment_id": None, "idempotency_key": None,
                "status": RefundStatus.FAILED,
            },
            "credit_note_is_done",
        ),
    ],
)  # fmt: skip
def test_a_refund_is_complete(
    session: Session, payment: Payment, values: dict[str, Any], rule: str
) -> None:
    given = {
        "number": "R1", "order_id": payment.order_id, "payment_id": payment.id, "currency": "GBP",
        "status": RefundStatus.SUCCEEDED, "amount": Decimal(10), "reason": "Damaged",
        "idempotency_key": "k1", "actor_name": "tester", "processed_at": MOMENT,
        "processed_on": date(2026, 2, 1),
    }  # fmt: skip

    refused(session, Refund(**(given | values)), rule)


@pytest.mark.parametrize("name", ["number", "idempotency_key"])
def test_a_refund_is_made_once(session: Session, payment: Payment, name: str) -> None:
    first = make_refund(session, payment, (line_of(payment), 1, Decimal(10)))
    value = getattr(first, name)

    with pytest.raises(IntegrityError, match=name):
        make_refund(session, payment, (line_of(payment), 1, Decimal(10)), **{name: value})
    session.rollback()

    assert count(session, Refund) == 1
    assert payment.refunded_amount == Decimal(10)


def test_an_imported_credit_note_needs_neither_order_nor_payment(session: Session) -> None:
    product = make_product(session)
    note = Refund(
        number="C536379", kind=RefundKind.CREDIT_NOTE, status=RefundStatus.SUCCEEDED,
        currency="GBP", amount=Decimal("27.50"), reason="Credit note", actor_name="import",
        processed_at=MOMENT, processed_on=date(2026, 2, 1),
        items=[
            RefundItem(product=product, sku=product.sku, product_name=product.name, quantity=n,
                       amount=Decimal("13.75"))
            for n in (1, 2)
        ],
    )  # fmt: skip
    session.add(note)
    session.commit()

    assert (note.order, note.payment, len(note.items)) == (None, None, 2)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"quantity": -1}, "quantity_not_negative"),
        ({"amount": Decimal("-0.01")}, "amount_not_negative"),
        ({"quantity": 1, "restock_quantity": 2}, "restocked_within_quantity"),
        ({"order_item_id": None, "quantity": 1}, "quantity_is_of_something"),
        ({"sku": "A"}, "product_has_snapshot"),
    ],
)
def test_an_item_of_a_refund_is_of_something(
    session: Session, payment: Payment, values: dict[str, Any], rule: str
) -> None:
    refund = make_refund(session, payment, amount=Decimal(10))
    given = {
        "refund_id": refund.id, "order_item_id": line_of(payment).id, "quantity": 1,
        "amount": Decimal(1),
    }  # fmt: skip

    refused(session, RefundItem(**(given | values)), rule)


def test_a_line_and_what_belongs_to_no_line_are_each_in_a_refund_once(
    session: Session, payment: Payment
) -> None:
    line = line_of(payment)
    refund = make_refund(session, payment, (line, 1, Decimal(5)), amount=Decimal(10))
    session.add(RefundItem(refund=refund, quantity=0, amount=Decimal(5)))
    session.commit()

    for key in (line.id, None):
        again = RefundItem(refund_id=refund.id, order_item_id=key, quantity=0, amount=Decimal(1))
        refused(session, again, r"(?i)unique")


def test_more_than_the_line_is_never_refunded(session: Session, payment: Payment) -> None:
    with pytest.raises(IntegrityError, match="refunded_within_quantity"):
        make_refund(session, payment, (line_of(payment), 4, Decimal(30)))
    session.rollback()

    assert count(session, Refund) == 0


@pytest.mark.parametrize(
    ("kind", "delta", "values", "rule"),
    [
        (K.RECEIVE, 0, {}, "delta_not_zero|sign_fits_kind"),
        (K.RECEIVE, -1, {}, "sign_fits_kind"),
        (K.OPENING, -1, {}, "sign_fits_kind"),
        (K.WRITE_OFF, 1, {"reason": "x"}, "sign_fits_kind"),
        (K.WRITE_OFF, -1, {}, "correction_has_reason"),
        (K.ADJUST, 1, {}, "correction_has_reason"),
        (K.SALE, -1, {}, "sale_has_line"),
        (K.CANCEL, 1, {}, "sale_has_line"),
        (K.RESTOCK, 1, {}, "restock_has_refund"),
        (K.RECEIVE, 1, {"balance_after": -1}, "balance_not_negative"),
    ],
)
def test_a_movement_fits_its_kind(
    session: Session, kind: MovementKind, delta: int, values: dict[str, Any], rule: str
) -> None:
    product = make_product(session, stock=10)
    given = {"balance_after": 10, "actor_name": "tester"} | values

    refused(session, StockMovement(product_id=product.id, kind=kind, delta=delta, **given), rule)


def test_a_line_is_sold_once_and_may_be_cancelled_in_parts(
    session: Session, payment: Payment
) -> None:
    line = line_of(payment)
    move_stock(session, line.product, 3)
    move_stock(session, line.product, -3, K.SALE, order_item=line)
    move_stock(session, line.product, 1, K.CANCEL, order_item=line)
    move_stock(session, line.product, 1, K.CANCEL, order_item=line)

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        move_stock(session, line.product, -1, K.SALE, order_item=line)
    session.rollback()

    assert line.product.stock == 2
    assert session.scalar(sa.select(sa.func.sum(StockMovement.delta))) == 2


def test_an_item_of_a_refund_is_put_back_once(session: Session, payment: Payment) -> None:
    refund = make_refund(session, payment, (line_of(payment), 1, Decimal(10)))
    (item,) = refund.items
    move_stock(session, line_of(payment).product, 1, K.RESTOCK, refund_item=item)

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        move_stock(session, line_of(payment).product, 1, K.RESTOCK, refund_item=item)
    session.rollback()

    assert line_of(payment).product.stock == 1


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (OrderEventKind.STATUS_CHANGED, "change_has_states"),
        (OrderEventKind.NOTE_ADDED, "note_has_body"),
    ],
)
def test_an_event_says_what_it_is_about(session: Session, kind: OrderEventKind, rule: str) -> None:
    order = make_order(session)

    with pytest.raises(IntegrityError, match=rule):
        make_order_event(session, order, kind)


@pytest.mark.parametrize("price", [Decimal(10), Decimal(-1)])
def test_a_price_change_changes_the_price_to_a_price(session: Session, price: Decimal) -> None:
    product = make_product(session, price=Decimal(10))
    row = PriceChange(product=product, old_price=Decimal(10), new_price=price, actor_name="tester")

    refused(session, row, "price_changes_price_changes|new_price_not_negative")


def test_changes_made_together_are_found_together(session: Session) -> None:
    batch = uuid4()
    for price in (Decimal(11), Decimal("12.3456")):
        make_price_change(session, make_product(session), price, batch_id=batch)

    found = session.scalars(sa.select(PriceChange.new_price).where(PriceChange.batch_id == batch))
    assert sorted(found) == [Decimal(11), Decimal("12.3456")]


@pytest.mark.parametrize("rate", [Decimal("-0.0001"), Decimal(10)])
def test_a_tax_rate_is_a_share(session: Session, payment: Payment, rate: Decimal) -> None:
    line_of(payment).tax_rate = rate

    with pytest.raises(IntegrityError, match="tax_rate_is_a_share"):
        session.commit()


def test_an_order_may_have_two_lines_of_one_product(session: Session) -> None:
    product = make_product(session)

    order = make_order(session, (product, 1, Decimal(5)), (product, 2, Decimal(5)))

    assert len(order.items) == 2
