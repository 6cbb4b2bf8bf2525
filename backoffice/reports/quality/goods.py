"""Rules about stock and the catalogue."""

from __future__ import annotations

from backoffice.reports.quality.check import Check

LEDGER = Check(
    "stock-is-ledger",
    "Stock is the sum of its movements",
    "Stock",
    "products",
    "The stock was changed past the ledger. Count the product, then reconcile the ledger.",
    # Added up at once: for the first rows alone PostgreSQL would go through the index, one by one.
    """
WITH m AS MATERIALIZED (
    SELECT product_id, sum(delta) AS units FROM stock_movements GROUP BY product_id
)
SELECT p.id, p.sku || ' ' || p.name AS label, coalesce(m.units, 0) AS expected, p.stock AS found
FROM products p
LEFT JOIN m ON m.product_id = p.id
WHERE p.stock <> coalesce(m.units, 0)
""",
)

GOODS = (
    LEDGER,
    Check(
        "balances-add-up",
        "Each movement leaves the stock before it and its change",
        "Stock",
        "stock_movements",
        "Movements were written past the services, or at once without a lock.",
        """
WITH moves AS MATERIALIZED (
    SELECT id, product_id, delta, balance_after FROM stock_movements
)
SELECT m.id, p.sku || ' ' || p.name AS label, m.before + m.delta AS expected,
       m.balance_after AS found
FROM (
    SELECT id, product_id, delta, balance_after,
           coalesce(lag(balance_after) OVER (PARTITION BY product_id ORDER BY id), 0) AS before
    FROM moves
) AS m
JOIN products p ON p.id = m.product_id
WHERE m.before + m.delta <> m.balance_after
""",
    ),
    # Of what was shipped, some may have come back.
    Check(
        "open-units-are-taken",
        "What open orders wait for is taken from the stock",
        "Stock",
        "order_items",
        "The units may be sold twice. Check the order, and count the product.",
        """
SELECT i.id, o.number || ': ' || i.sku AS label, i.quantity - i.quantity_cancelled AS expected,
       i.taken AS found
FROM (
    SELECT l.id, l.order_id, l.sku, l.quantity, l.quantity_shipped, l.quantity_cancelled,
           coalesce((SELECT -sum(m.delta) FROM stock_movements m
                     WHERE m.order_item_id = l.id), 0)
         - coalesce((SELECT sum(m.delta) FROM refund_items x
                     JOIN stock_movements m ON m.refund_item_id = x.id
                     WHERE x.order_item_id = l.id), 0) AS taken
    FROM orders w
    JOIN order_items l ON l.order_id = w.id
    WHERE w.status IN ('pending', 'paid', 'processing')
) AS i
JOIN orders o ON o.id = i.order_id
WHERE i.taken > i.quantity - i.quantity_cancelled
   OR i.taken < i.quantity - i.quantity_shipped - i.quantity_cancelled
""",
    ),
    Check(
        "closed-units-are-settled",
        "Closed orders wait for no units",
        "Stock",
        "order_items",
        "Some units of a finished order are neither sent nor cancelled. Check the order.",
        """
SELECT i.id, o.number || ': ' || i.sku AS label, i.quantity AS expected,
       i.quantity_shipped + i.quantity_cancelled AS found
FROM order_items i
JOIN orders o ON o.id = i.order_id
WHERE i.quantity > i.quantity_shipped + i.quantity_cancelled
  AND o.status IN ('shipped', 'completed', 'cancelled')
""",
    ),
    Check(
        "categories-have-a-root",
        "Every category lies below a top one",
        "Catalogue",
        "categories",
        "The category lies below itself. Choose another parent.",
        """
WITH RECURSIVE tree (id) AS (
    SELECT id FROM categories WHERE parent_id IS NULL
    UNION
    SELECT c.id FROM categories c JOIN tree ON c.parent_id = tree.id
)
SELECT c.id, c.name AS label, 'a top category' AS expected, p.name AS found
FROM categories c
JOIN categories p ON p.id = c.parent_id
WHERE c.id NOT IN (SELECT id FROM tree)
""",
    ),
    Check(
        "price-is-the-last-one",
        "The price is the last one of its history",
        "Catalogue",
        "products",
        "The price was changed past the services. Set the price that is right.",
        """
SELECT p.id, p.sku || ' ' || p.name AS label, c.new_price AS expected, p.price AS found
FROM products p
JOIN (SELECT product_id, max(id) AS id FROM price_changes GROUP BY product_id) AS newest
    ON newest.product_id = p.id
JOIN price_changes c ON c.id = newest.id
WHERE abs(p.price - c.new_price) >= 0.00005
""",
    ),
    Check(
        "products-have-a-price",
        "Nothing is for sale for nothing",
        "Catalogue",
        "products",
        "The price is zero. Set it, or take the product off sale.",
        """
SELECT id, sku || ' ' || name AS label, 'a price' AS expected, price AS found
FROM products WHERE is_available AND price <= 0
""",
    ),
    Check(
        "products-have-a-cost",
        "What is for sale has a cost",
        "Catalogue",
        "products",
        "Margins leave these products out. Enter what one costs.",
        """
SELECT id, sku || ' ' || name AS label, 'a unit cost' AS expected, 'none' AS found
FROM products WHERE is_available AND unit_cost IS NULL
""",
    ),
)
