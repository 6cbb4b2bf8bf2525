"""Credit notes of an import: refunds on their own day, for the sale that they take back if known.

A line belongs to the customer's latest earlier sale of the article that has left the house, has
enough to give back and was not cheaper; else it stands for itself. Stock is untouched, as by all
that is imported.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.errors import UnavailableError
from backoffice.models import Order
from backoffice.services.import_deciding import find_existing
from backoffice.services.import_staging import analyze, placed_at, run
from backoffice.services.locks import lock_rows

_REASON = "Imported credit note"
# One line an article: a refund has one item of each line that was sold.
_GATHER = """
INSERT INTO import_credits (first_line, number, sku, quantity, cents, price_units)
SELECT min(l.line_no), l.order_number, l.sku, -sum(l.quantity), -sum(l.line_cents),
       max(l.price_units)
FROM import_lines l JOIN import_orders s ON s.number = l.order_number
WHERE s.is_credit GROUP BY l.order_number, l.sku
"""
_CANDIDATES = """
SELECT c.first_line, c.quantity, o.id, i.id,
       i.quantity - i.quantity_cancelled - i.quantity_refunded - coalesce(w.quantity, 0)
FROM import_credits c
JOIN import_orders s ON s.number = c.number
JOIN users u ON u.username = s.customer
JOIN import_products p ON p.sku = c.sku
JOIN orders o ON o.user_id = u.id
JOIN order_items i ON i.order_id = o.id AND i.product_id = p.product_id
LEFT JOIN (
    SELECT r.order_item_id, CAST(sum(r.quantity) AS INTEGER) AS quantity
    FROM refunds f JOIN refund_items r ON r.refund_id = f.id
    WHERE f.status = 'pending' GROUP BY r.order_item_id
) AS w ON w.order_item_id = i.id
WHERE o.placed_at < {placed_at} AND o.currency = :currency
  AND o.status IN ('shipped', 'completed')
  AND i.quantity - i.quantity_cancelled - i.quantity_refunded - coalesce(w.quantity, 0)
      >= c.quantity
  AND round(i.unit_price * 10000) >= c.price_units
ORDER BY s.placed_at, c.first_line, o.placed_at DESC, i.id DESC
"""
_LINK = """
UPDATE import_credits SET order_id = :order_id, order_item_id = :item_id
WHERE first_line = :first_line
"""
_CREATE_REFUNDS = """
INSERT INTO refunds (number, kind, order_id, user_id, country, currency, status, amount,
                     shipping_amount, tax_amount, reason, processed_at, processed_on, actor_id,
                     actor_name, created_at)
SELECT s.number, 'credit_note', one.order_id, u.id, l.country, :currency, 'succeeded',
       -s.total_cents / 100.0, 0, 0, :reason, {placed_at}, s.placed_on, :actor_id, :actor_name, :now
FROM import_orders s
JOIN import_lines l ON l.line_no = s.first_line
LEFT JOIN users u ON u.username = s.customer
LEFT JOIN (
    SELECT number, CASE WHEN count(*) = count(order_id) AND min(order_id) = max(order_id)
                        THEN min(order_id) END AS order_id
    FROM import_credits GROUP BY number
) AS one ON one.number = s.number
WHERE s.is_credit
ORDER BY s.first_line
"""
_CREATE_ITEMS = """
INSERT INTO refund_items (refund_id, order_item_id, product_id, sku, product_name, category_id,
                          category_path, quantity, amount, tax_amount, restock_quantity)
SELECT s.document_id, c.order_item_id,
       CASE WHEN c.order_item_id IS NULL THEN p.product_id END,
       CASE WHEN c.order_item_id IS NULL THEN c.sku END,
       CASE WHEN c.order_item_id IS NULL THEN coalesce(l.product_name, p.name) END,
       CASE WHEN c.order_item_id IS NULL THEN p.category_id END,
       CASE WHEN c.order_item_id IS NULL THEN p.category_path END,
       c.quantity, c.cents / 100.0, 0, 0
FROM import_credits c
JOIN import_orders s ON s.number = c.number
JOIN import_products p ON p.sku = c.sku
JOIN import_lines l ON l.line_no = c.first_line
ORDER BY c.first_line
"""
_LINKED_ORDERS = sa.select(sa.column("order_id", sa.BigInteger)).select_from(
    sa.table("import_credits")
)
_COUNT_LINKED = "SELECT count(DISTINCT order_item_id) FROM import_credits"
_COUNT_LINES = "SELECT CAST(sum(line_count) AS INTEGER) FROM import_orders WHERE is_credit"
_TAKE_BACK = """
UPDATE order_items SET quantity_refunded = order_items.quantity_refunded + taken.quantity
FROM (SELECT order_item_id, CAST(sum(quantity) AS INTEGER) AS quantity FROM import_credits
      WHERE order_item_id IS NOT NULL GROUP BY order_item_id) AS taken
WHERE order_items.id = taken.order_item_id
  AND order_items.quantity - order_items.quantity_cancelled - order_items.quantity_refunded
      - coalesce((SELECT sum(r.quantity) FROM refund_items r JOIN refunds f ON f.id = r.refund_id
                  WHERE r.order_item_id = order_items.id AND f.status = 'pending'), 0)
      >= taken.quantity
"""


def create_notes(session: Session, actor: Actor, currency: str) -> tuple[int, int, int]:
    """Create refunds of the staged credit notes; return (notes, lines, articles with a sale).

    Raises UnavailableError when somebody refunds one of the sales at this moment.
    """
    articles = run(session, _GATHER)
    if not articles:
        return 0, 0, 0
    analyze(session, "import_credits")
    linked = _link(session, currency)
    # Before anything leads to them: refunds lock their order first, too.
    lock_rows(session, Order, _LINKED_ORDERS)
    notes = run(
        session, _CREATE_REFUNDS, currency=currency, reason=_REASON, actor_id=actor.user_id,
        actor_name=actor.name,
    )  # fmt: skip
    find_existing(session)
    run(session, _CREATE_ITEMS)
    if run(session, _TAKE_BACK) != session.scalar(sa.text(_COUNT_LINKED)):
        raise UnavailableError("An order was refunded meanwhile. Import the file again.")
    return notes, session.scalar(sa.text(_COUNT_LINES)) or 0, linked


def _link(session: Session, currency: str) -> int:
    """Note each article's sale; return how many have one."""
    chosen = list(_chosen(session, currency))
    if chosen:
        session.execute(sa.text(_LINK), chosen)
    return len(chosen)


def _chosen(session: Session, currency: str) -> Iterator[dict[str, int]]:
    """Give each article its sale, the earliest note first: what one took, the next cannot."""
    left: dict[int, int] = {}
    done = None
    candidates = sa.text(_CANDIDATES.replace("{placed_at}", placed_at(session)))
    rows = session.execute(candidates, {"currency": currency})
    for first_line, wanted, order_id, item_id, rest in rows:
        available = left.get(item_id, rest)
        if first_line != done and available >= wanted:
            left[item_id], done = available - wanted, first_line
            yield {"first_line": first_line, "order_id": order_id, "item_id": item_id}
