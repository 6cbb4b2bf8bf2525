"""From staged lines to rows: what an import decides about orders, and what it creates.

Every statement works on the whole file at once, in the caller's transaction, and is the same on
both databases. Amounts are divided by 100.0 and 10000.0: exact on PostgreSQL, and on SQLite the
very fraction that the decimal number is stored as.
"""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult, Result
from sqlalchemy.orm import Session

from backoffice.db import UtcDateTimeType, utc_now
from backoffice.services.import_staging import analyze

TWO_CUSTOMERS = "the order names two customers"
STAFF = "the customer is the user name of a member of staff"
TOO_LARGE = "the order's total is too large"
OTHER_CONTENT = "the order already exists with other content"

_GATHER_ORDERS = """
INSERT INTO import_orders (number, first_line, line_count, placed_at, placed_on, customer,
                           other_customer, total_cents)
SELECT order_number, min(line_no), count(*), min(placed_at), min(placed_on), min(customer),
       max(customer), sum(line_cents)
FROM import_lines GROUP BY order_number
"""
_FIND_EXISTING = """
UPDATE import_orders
SET order_id = (SELECT id FROM orders WHERE orders.number = import_orders.number)
"""
_REFUSE = {
    TWO_CUSTOMERS: "UPDATE import_orders SET reason = :reason WHERE customer <> other_customer",
    STAFF: """
UPDATE import_orders SET reason = :reason WHERE reason IS NULL AND customer IN (
    SELECT username FROM users WHERE role <> 'customer')
""",
    TOO_LARGE: """
UPDATE import_orders SET reason = :reason WHERE reason IS NULL AND total_cents >= 100000000000000
""",
    # Two bags of lines are equal when each kind of line counts as often on one side as on the
    # other.
    OTHER_CONTENT: """
UPDATE import_orders SET reason = :reason
WHERE reason IS NULL AND order_id IS NOT NULL AND (
    order_id IN (
        SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.user_id
        JOIN import_orders s ON s.order_id = o.id
        WHERE coalesce(u.username, '') <> coalesce(s.customer, ''))
    OR order_id IN (
        SELECT order_id FROM (
            SELECT s.order_id, l.sku, l.quantity, l.price_units, 1 AS side
            FROM import_lines l JOIN import_orders s ON s.number = l.order_number
            WHERE s.order_id IS NOT NULL
            UNION ALL
            SELECT i.order_id, i.sku, i.quantity,
                   CAST(round(i.unit_price * 10000) AS BIGINT), -1
            FROM import_orders s JOIN order_items i ON i.order_id = s.order_id
        ) AS both_sides
        GROUP BY order_id, sku, quantity, price_units HAVING sum(side) <> 0))
""",
}
_FORGET_LINES = """
DELETE FROM import_lines WHERE order_number IN (
    SELECT number FROM import_orders WHERE order_id IS NOT NULL OR reason IS NOT NULL)
"""
_FORGET_ORDERS = "DELETE FROM import_orders WHERE order_id IS NOT NULL OR reason IS NOT NULL"
_COUNT_ORDERS = """
SELECT reason, order_id IS NOT NULL, count(*), sum(line_count) FROM import_orders GROUP BY 1, 2
"""
REFUSED_LINES = """
SELECT l.line_no, s.number, s.reason, s.customer, s.other_customer
FROM import_orders s JOIN import_lines l ON l.order_number = s.number
WHERE s.reason IS NOT NULL ORDER BY l.line_no
"""
_CREATE_CATEGORIES = """
INSERT INTO categories (name, version, created_at, updated_at)
SELECT category, 1, :now, :now FROM import_lines
WHERE category IS NOT NULL AND category NOT IN (
    SELECT name FROM categories WHERE parent_id IS NULL)
GROUP BY category ORDER BY min(line_no)
"""
_GATHER_CATEGORIES = """
INSERT INTO import_categories (name, category_id)
SELECT name, id FROM categories WHERE parent_id IS NULL AND name IN (
    SELECT category FROM import_lines WHERE category IS NOT NULL)
"""
_GATHER_PRODUCTS = """
INSERT INTO import_products (sku, name_line, category_line, latest_at)
SELECT sku, min(CASE WHEN product_name IS NOT NULL THEN line_no END),
       min(CASE WHEN category IS NOT NULL THEN line_no END), max(placed_at)
FROM import_lines GROUP BY sku
"""
_CREATE_PRODUCTS = """
INSERT INTO products (sku, name, price, stock, low_stock_threshold, is_available, category_id,
                      version, created_at, updated_at)
SELECT p.sku, coalesce(named.product_name, p.sku), latest.price_units / 10000.0, 0,
       :low_stock_threshold, true, c.category_id, 1, :now, :now
FROM import_products p
JOIN (SELECT g.sku, max(l.line_no) AS line_no
      FROM import_lines l CROSS JOIN import_products g
      WHERE g.sku = l.sku AND g.latest_at = l.placed_at
      GROUP BY g.sku) AS last ON last.sku = p.sku
JOIN import_lines latest ON latest.line_no = last.line_no
LEFT JOIN import_lines named ON named.line_no = p.name_line
LEFT JOIN import_lines filed ON filed.line_no = p.category_line
LEFT JOIN import_categories c ON c.name = filed.category
WHERE p.sku NOT IN (SELECT sku FROM products)
ORDER BY p.sku
"""
_FIND_PRODUCTS = """
WITH RECURSIVE tree (id, path) AS (
    SELECT id, CAST(name AS TEXT) FROM categories WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, tree.path || ' / ' || c.name FROM categories c JOIN tree ON tree.id = c.parent_id
)
UPDATE import_products SET (product_id, name, category_id, category_path) = (
    SELECT p.id, p.name, p.category_id, substr(tree.path, 1, 500)
    FROM products p LEFT JOIN tree ON tree.id = p.category_id WHERE p.sku = import_products.sku)
"""
_CREATE_CUSTOMERS = """
INSERT INTO users (username, role, is_active, session_version, version, created_at, updated_at)
SELECT customer, 'customer', true, 1, 1, :now, :now FROM import_orders
WHERE customer IS NOT NULL AND customer NOT IN (SELECT username FROM users)
GROUP BY customer ORDER BY min(first_line)
"""
_CREATE_PROFILES = """
INSERT INTO profiles (user_id, full_name, country, version, created_at, updated_at)
SELECT u.id, '', l.country, 1, :now, :now
FROM (SELECT customer, min(first_line) AS line_no FROM import_orders
      WHERE customer IS NOT NULL GROUP BY customer) AS first
JOIN users u ON u.username = first.customer
JOIN import_lines l ON l.line_no = first.line_no
WHERE u.id > :last_user AND u.id NOT IN (SELECT user_id FROM profiles)
ORDER BY u.id
"""
_CREATE_ORDERS = """
INSERT INTO orders (number, user_id, country, currency, subtotal_amount, discount_amount,
                    shipping_amount, tax_amount, total_amount, status, placed_at, placed_on,
                    paid_at, paid_on, completed_at, version, created_at, updated_at)
SELECT s.number, u.id, l.country, :currency, s.total_cents / 100.0, 0, 0, 0,
       s.total_cents / 100.0, 'completed', {placed_at}, s.placed_on, {placed_at}, s.placed_on,
       {placed_at}, 1, :now, :now
FROM import_orders s
JOIN import_lines l ON l.line_no = s.first_line
LEFT JOIN users u ON u.username = s.customer
ORDER BY s.first_line
"""
_CREATE_ITEMS = """
INSERT INTO order_items (order_id, product_id, sku, product_name, category_id, category_path,
                         quantity, unit_price, discount_amount, tax_amount, line_total,
                         quantity_shipped, quantity_cancelled, quantity_refunded)
SELECT s.order_id, p.product_id, l.sku, coalesce(l.product_name, p.name),
       coalesce(c.category_id, p.category_id), coalesce(c.name, p.category_path), l.quantity,
       l.price_units / 10000.0, 0, 0, l.line_cents / 100.0, l.quantity, 0, 0
FROM import_lines l
JOIN import_orders s ON s.number = l.order_number
JOIN import_products p ON p.sku = l.sku
LEFT JOIN import_categories c ON c.name = l.category
ORDER BY l.line_no
"""


# A trigger that somebody adds to the table would be skipped as well, so there must be none.
MAY_SKIP_CHECKS = """
SELECT has_parameter_privilege('session_replication_role', 'SET') AND NOT EXISTS (
    SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass('order_items') AND NOT tgisinternal
)
"""


def decide(session: Session) -> None:
    """Gather the orders of the staged lines and mark which exist and which are refused."""
    _run(session, _GATHER_ORDERS)
    analyze(session, "import_orders")
    _run(session, _FIND_EXISTING)
    for reason, statement in _REFUSE.items():
        _run(session, statement, reason=reason)


def count_orders(session: Session) -> list[tuple[str | None, bool, int, int]]:
    """Return (reason, exists, orders, lines) of what was decided."""
    rows = session.execute(sa.text(_COUNT_ORDERS))
    return [(reason, bool(exists), orders, int(lines)) for reason, exists, orders, lines in rows]


def forget_decided(session: Session) -> None:
    """Drop the lines of refused and unchanged orders: only what is to be created stays."""
    _run(session, _FORGET_LINES)
    _run(session, _FORGET_ORDERS)


def create_rows(session: Session, currency: str) -> dict[str, int]:
    """Create what the remaining lines need; return how many rows of each table."""
    created = {"categories": _create(session, _CREATE_CATEGORIES)}
    _run(session, _GATHER_CATEGORIES)
    _run(session, _GATHER_PRODUCTS)
    analyze(session, "import_products")
    created["products"] = _create(session, _CREATE_PRODUCTS, low_stock_threshold=5)
    _run(session, _FIND_PRODUCTS)
    created["customers"] = _create_customers(session)
    moment = "s.placed_at"
    if session.get_bind().dialect.name == "postgresql":
        moment += " AT TIME ZONE 'UTC'"
    created["orders"] = _create(session, _CREATE_ORDERS.format(placed_at=moment), currency=currency)
    _run(session, _FIND_EXISTING)
    created["lines"] = _create_items(session)
    return created


def _create_items(session: Session) -> int:
    """Create the order items; a role of PostgreSQL that may skips what is proven by construction.

    Checking two foreign keys row by row takes half as long as all the rest of the import. The
    orders were made in this transaction and the products are locked, so that none can vanish.
    """
    if session.get_bind().dialect.name != "postgresql":
        return _create(session, _CREATE_ITEMS)
    _run(
        session,
        "SELECT id FROM products WHERE id IN (SELECT product_id FROM import_products) "
        "ORDER BY id FOR KEY SHARE",
    )
    if not session.scalar(sa.text(MAY_SKIP_CHECKS)):
        return _create(session, _CREATE_ITEMS)
    _run(session, "SET LOCAL session_replication_role = replica")
    created = _create(session, _CREATE_ITEMS)
    _run(session, "SET LOCAL session_replication_role = origin")
    return created


def _create_customers(session: Session) -> int:
    last_user = session.scalar(sa.text("SELECT coalesce(max(id), 0) FROM users"))
    created = _create(session, _CREATE_CUSTOMERS)
    _create(session, _CREATE_PROFILES, last_user=last_user)
    return created


def _create(session: Session, statement: str, **values: Any) -> int:
    clause = sa.text(statement)
    if ":now" in statement:
        now = sa.bindparam("now", utc_now(), type_=UtcDateTimeType())
        clause = clause.bindparams(now)
    return _rows(session.execute(clause, values))


def _run(session: Session, statement: str, **values: Any) -> int:
    return _rows(session.execute(sa.text(statement), values))


def _rows(result: Result[Any]) -> int:
    return cast("CursorResult[Any]", result).rowcount
