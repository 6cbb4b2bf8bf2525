"""What was there before payments and the ledger is carried into them, and adds up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from backoffice.db import UtcDateTimeType, db
from backoffice.models import Payment, StockMovement

BEFORE, AFTER = "182b", "6389"
PRODUCTS = """
INSERT INTO products (id, sku, name, price, stock, low_stock_threshold, is_available, version,
                      created_at, updated_at)
VALUES (1, 'A', 'Ample', 5, 7, 5, true, 1, '2026-01-01', '2026-01-01'),
       (2, 'B', 'Bare', 5, 0, 5, true, 1, '2026-01-01', '2026-01-01'),
       (3, 'C', 'Claimed', 5, 0, 5, true, 1, '2026-01-01', '2026-01-01')
"""
ORDER = sa.text("""
INSERT INTO orders (id, number, currency, subtotal_amount, discount_amount, shipping_amount,
                    tax_amount, total_amount, status, placed_at, placed_on, paid_at, paid_on,
                    cancelled_at, cancel_reason, version, created_at, updated_at)
VALUES (:id, :number, 'GBP', :total, 0, 0, 0, :total, :status, '2026-02-01', '2026-02-01',
        :paid_at, :paid_on, :cancelled_at, :reason, 1, '2026-02-01', '2026-02-01')
""").bindparams(
    sa.bindparam("paid_at", type_=UtcDateTimeType()),
    sa.bindparam("paid_on", type_=sa.Date()),
    sa.bindparam("cancelled_at", type_=UtcDateTimeType()),
)
ITEM = """
INSERT INTO order_items (id, order_id, product_id, sku, product_name, quantity, unit_price,
                         discount_amount, tax_amount, line_total, quantity_shipped,
                         quantity_cancelled, quantity_refunded)
VALUES (:id, :order, :product, 'X', 'X', :quantity, 5, 0, 0, :total, 0, :cancelled, 0)
"""
# (id, status, paid on, total)
ORDERS = [
    (1, "completed", datetime(2026, 2, 2, tzinfo=UTC), 15),
    (2, "pending", None, 20),
    (3, "processing", datetime(2026, 2, 3, tzinfo=UTC), 30),
    (4, "cancelled", None, 5),
    (5, "completed", datetime(2026, 2, 4, tzinfo=UTC), 0),
]
# (id, order, product, quantity, cancelled); one order has two lines of one product.
ITEMS = [
    (1, 1, 1, 3, 0),
    (2, 2, 1, 2, 0),
    (3, 2, 1, 2, 1),
    (4, 3, 3, 4, 0),
    (5, 3, 2, 2, 2),
    (6, 4, 1, 1, 1),
]


@pytest.fixture
def filled(empty_app: Flask) -> Flask:
    """A database before the ledger, with orders in every state that matters to it."""
    upgrade(revision=BEFORE)
    with db.engine.begin() as connection:
        connection.execute(sa.text(PRODUCTS))
        for key, status, paid, total in ORDERS:
            gone = status == "cancelled"
            values = {
                "id": key, "number": f"T{key}", "total": total, "status": status,
                "paid_at": paid, "paid_on": paid.date() if paid else None,
                "cancelled_at": datetime(2026, 2, 5, tzinfo=UTC) if gone else None,
                "reason": "Late" if gone else None,
            }  # fmt: skip
            connection.execute(ORDER, values)
        for key, order, product, quantity, cancelled in ITEMS:
            values = {
                "id": key, "order": order, "product": product, "quantity": quantity,
                "cancelled": cancelled, "total": 5 * quantity,
            }  # fmt: skip
            connection.execute(sa.text(ITEM), values)
    return empty_app


def rows(query: str) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def assert_carried_over() -> None:
    assert rows("SELECT product_id, kind, delta, balance_after, order_item_id FROM stock_movements "
                "ORDER BY id") == [
        (1, "opening", 10, 10, None),
        (3, "opening", 4, 4, None),
        (1, "sale", -2, 8, 2),
        (1, "sale", -1, 7, 3),
        (3, "sale", -4, 0, 4),
    ]  # fmt: skip
    assert rows("SELECT order_id, provider, provider_ref, status, CAST(amount AS INTEGER), "
                "CAST(captured_amount AS INTEGER), CAST(refunded_amount AS INTEGER) FROM payments "
                "ORDER BY id") == [
        (1, "external", "T1", "captured", 15, 15, 0),
        (3, "external", "T3", "captured", 30, 30, 0),
    ]  # fmt: skip


def test_the_ledger_opens_with_what_adds_up_to_the_stock(filled: Flask) -> None:
    upgrade(revision=AFTER)

    assert_carried_over()
    assert rows("SELECT p.id FROM products p WHERE p.stock <> (SELECT coalesce(sum(delta), 0) "
                "FROM stock_movements WHERE product_id = p.id)") == []  # fmt: skip


def test_going_back_and_up_again_carries_the_same_over(filled: Flask) -> None:
    upgrade(revision=AFTER)

    downgrade(revision=BEFORE)
    assert rows("SELECT count(*), sum(quantity) FROM order_items") == [(6, 14)]
    upgrade(revision=AFTER)

    assert_carried_over()


def test_moments_carried_over_can_be_read(filled: Flask) -> None:
    upgrade()
    payment = db.session.scalars(sa.select(Payment).order_by(Payment.id)).first()
    movement = db.session.scalars(sa.select(StockMovement)).first()
    assert payment is not None
    assert payment.captured_at is not None
    assert payment.captured_at.date() == date(2026, 2, 2)
    assert movement is not None
    assert movement.created_at.tzinfo is not None
