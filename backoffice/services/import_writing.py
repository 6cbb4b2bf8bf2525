"""From staged lines to rows: what an import creates.

Every statement works on the whole file at once, in the caller's transaction, and is the same on
both databases. Amounts are divided by 100.0 and 10000.0: exact on PostgreSQL, and on SQLite the
very fraction that the decimal number is stored as.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.services.import_deciding import find_existing
from backoffice.services.import_staging import analyze, run

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
       min(CASE WHEN category IS NOT NULL THEN line_no END),
       coalesce(max(CASE WHEN quantity > 0 THEN placed_at END), max(placed_at))
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
WHERE NOT s.is_credit
ORDER BY s.first_line
"""
# What was paid elsewhere: one captured payment of each order.
_CREATE_PAYMENTS = """
INSERT INTO payments (order_id, provider, provider_ref, status, amount, captured_amount,
                      refund_pending_amount, refunded_amount, captured_at, created_at, updated_at)
SELECT o.id, 'external', o.number, 'captured', o.total_amount, o.total_amount, 0, 0, o.paid_at,
       o.paid_at, o.paid_at
FROM import_orders s JOIN orders o ON o.id = s.document_id
WHERE NOT s.is_credit AND o.total_amount > 0
ORDER BY o.id
"""
_CREATE_ITEMS = """
INSERT INTO order_items (order_id, product_id, sku, product_name, category_id, category_path,
                         quantity, unit_price, discount_amount, tax_amount, line_total,
                         quantity_shipped, quantity_cancelled, quantity_refunded)
SELECT s.document_id, p.product_id, l.sku, coalesce(l.product_name, p.name),
       coalesce(c.category_id, p.category_id), coalesce(c.name, p.category_path), l.quantity,
       l.price_units / 10000.0, 0, 0, l.line_cents / 100.0, l.quantity, 0, 0
FROM import_lines l
JOIN import_orders s ON s.number = l.order_number
JOIN import_products p ON p.sku = l.sku
LEFT JOIN import_categories c ON c.name = l.category
WHERE NOT s.is_credit
"""


# A trigger that somebody adds to the table would be skipped as well, so there must be none.
MAY_SKIP_CHECKS = """
SELECT has_parameter_privilege('session_replication_role', 'SET') AND NOT EXISTS (
    SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass('order_items') AND NOT tgisinternal
)
"""


def create_rows(session: Session, currency: str) -> dict[str, int]:
    """Create what the remaining lines need; return how many rows of each table."""
    created = {"categories": run(session, _CREATE_CATEGORIES)}
    run(session, _GATHER_CATEGORIES)
    run(session, _GATHER_PRODUCTS)
    analyze(session, "import_products")
    created["products"] = run(session, _CREATE_PRODUCTS, low_stock_threshold=5)
    run(session, _FIND_PRODUCTS)
    created["customers"] = _create_customers(session)
    created["orders"] = run(session, _CREATE_ORDERS, currency=currency)
    find_existing(session)
    created["lines"] = _create_items(session)
    run(session, _CREATE_PAYMENTS)
    return created


def _create_items(session: Session) -> int:
    """Create the order items; a role of PostgreSQL that may skips what is proven by construction.

    Checking two foreign keys row by row takes half as long as all the rest of the import. The
    orders were made in this transaction and the products are locked, so that none can vanish.
    """
    if session.get_bind().dialect.name != "postgresql":
        return run(session, _CREATE_ITEMS)
    run(
        session,
        "SELECT id FROM products WHERE id IN (SELECT product_id FROM import_products) "
        "ORDER BY id FOR KEY SHARE",
    )
    if not session.scalar(sa.text(MAY_SKIP_CHECKS)):
        return run(session, _CREATE_ITEMS)
    run(session, "SET LOCAL session_replication_role = replica")
    created = run(session, _CREATE_ITEMS)
    run(session, "SET LOCAL session_replication_role = origin")
    return created


def _create_customers(session: Session) -> int:
    last_user = session.scalar(sa.text("SELECT coalesce(max(id), 0) FROM users"))
    created = run(session, _CREATE_CUSTOMERS)
    run(session, _CREATE_PROFILES, last_user=last_user)
    return created
