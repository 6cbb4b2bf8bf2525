"""What an import decides about the documents of a file before anything is created."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.services.import_staging import analyze, run

TWO_CUSTOMERS = "the order names two customers"
STAFF = "the customer is the user name of a member of staff"
TOO_LARGE = "the order's total is too large"
NOTHING = "the credit note gives nothing back"
OTHER_CONTENT = "the order already exists with other content"
PAID_ALREADY = "a payment of that number was booked for another order"

_GATHER_ORDERS = """
INSERT INTO import_orders (number, first_line, line_count, placed_at, placed_on, customer,
                           other_customer, total_cents, is_credit)
SELECT order_number, min(line_no), count(*), min(placed_at), min(placed_on), min(customer),
       max(customer), sum(line_cents), min(quantity) < 0
FROM import_lines GROUP BY order_number
"""
_FIND_EXISTING = """
UPDATE import_orders SET document_id = CASE
    WHEN is_credit THEN (SELECT id FROM refunds WHERE refunds.number = import_orders.number)
    ELSE (SELECT id FROM orders WHERE orders.number = import_orders.number) END
WHERE document_id IS NULL
"""
_REFUSE = (
    (TWO_CUSTOMERS, "UPDATE import_orders SET reason = :reason WHERE customer <> other_customer"),
    (STAFF, """
UPDATE import_orders SET reason = :reason WHERE reason IS NULL AND customer IN (
    SELECT username FROM users WHERE role <> 'customer')
"""),
    (TOO_LARGE, """
UPDATE import_orders SET reason = :reason
WHERE reason IS NULL AND abs(total_cents) >= 100000000000000
"""),
    (NOTHING, "UPDATE import_orders SET reason = :reason WHERE is_credit AND total_cents = 0"),
    (PAID_ALREADY, """
UPDATE import_orders SET reason = :reason
WHERE reason IS NULL AND document_id IS NULL AND NOT is_credit AND number IN (
    SELECT provider_ref FROM payments WHERE provider = 'external')
"""),
    # Two bags of lines are equal when each kind of line counts as often on one side as on the
    # other.
    (OTHER_CONTENT, """
UPDATE import_orders SET reason = :reason
WHERE reason IS NULL AND document_id IS NOT NULL AND NOT is_credit AND (
    document_id IN (
        SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.user_id
        JOIN import_orders s ON s.document_id = o.id AND NOT s.is_credit
        WHERE coalesce(u.username, '') <> coalesce(s.customer, ''))
    OR document_id IN (
        SELECT document_id FROM (
            SELECT s.document_id, l.sku, l.quantity, l.price_units, 1 AS side
            FROM import_lines l JOIN import_orders s ON s.number = l.order_number
            WHERE s.document_id IS NOT NULL AND NOT s.is_credit
            UNION ALL
            SELECT i.order_id, i.sku, i.quantity,
                   CAST(round(i.unit_price * 10000) AS BIGINT), -1
            FROM import_orders s JOIN order_items i ON i.order_id = s.document_id
            WHERE NOT s.is_credit
        ) AS both_sides
        GROUP BY document_id, sku, quantity, price_units HAVING sum(side) <> 0))
"""),
    (OTHER_CONTENT, """
UPDATE import_orders SET reason = :reason
WHERE reason IS NULL AND document_id IS NOT NULL AND is_credit AND (
    document_id IN (
        SELECT r.id FROM refunds r LEFT JOIN users u ON u.id = r.user_id
        JOIN import_orders s ON s.document_id = r.id AND s.is_credit
        WHERE r.kind <> 'credit_note' OR coalesce(u.username, '') <> coalesce(s.customer, ''))
    OR document_id IN (
        SELECT document_id FROM (
            SELECT s.document_id, l.sku, -l.quantity AS quantity, -l.line_cents AS cents
            FROM import_lines l JOIN import_orders s ON s.number = l.order_number
            WHERE s.document_id IS NOT NULL AND s.is_credit
            UNION ALL
            SELECT r.refund_id, coalesce(r.sku, i.sku), -r.quantity,
                   -CAST(round(r.amount * 100) AS BIGINT)
            FROM import_orders s JOIN refund_items r ON r.refund_id = s.document_id
            LEFT JOIN order_items i ON i.id = r.order_item_id
            WHERE s.is_credit
        ) AS both_sides
        GROUP BY document_id, sku HAVING sum(quantity) <> 0 OR sum(cents) <> 0))
"""),
)  # fmt: skip
_FORGET_LINES = """
DELETE FROM import_lines WHERE order_number IN (
    SELECT number FROM import_orders WHERE document_id IS NOT NULL OR reason IS NOT NULL)
"""
_FORGET_ORDERS = "DELETE FROM import_orders WHERE document_id IS NOT NULL OR reason IS NOT NULL"
_COUNT_UNCHANGED = """
SELECT is_credit, count(*), sum(line_count) FROM import_orders
WHERE reason IS NULL AND document_id IS NOT NULL GROUP BY is_credit
"""
REFUSED_LINES = """
SELECT l.line_no, s.number, s.reason, s.customer, s.other_customer
FROM import_orders s JOIN import_lines l ON l.order_number = s.number
WHERE s.reason IS NOT NULL ORDER BY l.line_no
"""


def decide(session: Session) -> None:
    """Gather the orders of the staged lines and mark which exist and which are refused."""
    run(session, _GATHER_ORDERS)
    analyze(session, "import_orders")
    find_existing(session)
    for reason, statement in _REFUSE:
        run(session, statement, reason=reason)


def find_existing(session: Session) -> None:
    """Look the staged documents up by their numbers."""
    run(session, _FIND_EXISTING)


def count_unchanged(session: Session) -> dict[bool, tuple[int, int]]:
    """Return {whether credit notes: (documents, lines)} of what is there already, just so."""
    rows = session.execute(sa.text(_COUNT_UNCHANGED))
    return {bool(is_credit): (documents, int(lines)) for is_credit, documents, lines in rows}


def forget_decided(session: Session) -> None:
    """Drop the lines of refused and unchanged orders: only what is to be created stays."""
    run(session, _FORGET_LINES)
    run(session, _FORGET_ORDERS)
