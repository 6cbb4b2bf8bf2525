"""Placing an order by nothing but psycopg: what the server and the driver take by themselves."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types.json import Json

_LOCK = """
SELECT id, sku, name, description, price, unit_cost, stock, low_stock_threshold, is_available,
       category_id, version, created_at, updated_at
FROM products WHERE id IN (%s, %s, %s) ORDER BY id FOR UPDATE
"""
_KEY = "SELECT id, number, user_id FROM orders WHERE idempotency_key = %s"
_CUSTOMER = """
SELECT u.id, u.username, u.email, u.role, u.is_active, p.full_name, p.country
FROM users u LEFT JOIN profiles p ON p.user_id = u.id WHERE u.id = %s FOR KEY SHARE OF u
"""
_TAKE = """
UPDATE products SET stock = stock + CASE id WHEN %s THEN %s WHEN %s THEN %s WHEN %s THEN %s END,
       updated_at = %s
WHERE id IN (%s, %s, %s)
  AND stock + CASE id WHEN %s THEN %s WHEN %s THEN %s WHEN %s THEN %s END >= 0
RETURNING id, stock
"""
_PATHS = """
WITH RECURSIVE above (id, parent_id, path) AS (
    SELECT id, parent_id, CAST(name AS TEXT) FROM categories WHERE id IN (%s)
    UNION ALL
    SELECT above.id, c.parent_id, c.name || ' / ' || above.path
    FROM above JOIN categories c ON c.id = above.parent_id
)
SELECT id, substr(path, 1, 500) AS path FROM above WHERE parent_id IS NULL
"""
_NUMBER = """
SELECT n FROM (SELECT max(nextval('order_numbers')) AS n FROM generate_series(1, 1)) AS taken
WHERE NOT EXISTS (SELECT 1 FROM orders WHERE number = CAST(n AS VARCHAR))
"""
_ORDER = """
INSERT INTO orders (number, user_id, email, customer_name, address, country, currency,
                    subtotal_amount, discount_amount, shipping_amount, tax_amount, total_amount,
                    status, placed_at, placed_on, paid_at, paid_on, idempotency_key, version,
                    created_at, updated_at)
VALUES (%s, %s, %s, NULL, NULL, NULL, 'GBP', %s, 0, 0, 0, %s, 'pending', %s, %s, NULL, NULL, %s, 1,
        %s, %s) RETURNING id
"""
_ITEM = "(%s, %s, %s, %s, %s, %s, NULL, %s, %s, 0, 0, %s, 0, 0, 0, NULL)"
_ITEMS = f"""
INSERT INTO order_items (order_id, product_id, sku, product_name, category_id, category_path,
                         unit_cost, quantity, unit_price, discount_amount, tax_amount, line_total,
                         quantity_shipped, quantity_cancelled, quantity_refunded, tax_rate)
VALUES {_ITEM}, {_ITEM}, {_ITEM} RETURNING id, product_id
"""
_MOVE = "(%s, 'sale', -1, %s, %s, NULL, NULL, NULL, 'bench', %s)"
_MOVES = f"""
INSERT INTO stock_movements (product_id, kind, delta, balance_after, order_item_id,
                             refund_item_id, reason, actor_id, actor_name, created_at)
VALUES {_MOVE}, {_MOVE}, {_MOVE} RETURNING id
"""
_EVENT = """
INSERT INTO order_events (order_id, kind, from_status, to_status, body, actor_id, actor_name,
                          created_at)
VALUES (%s, 'placed', NULL, 'pending', NULL, NULL, 'bench', %s) RETURNING id
"""
_CHANGE_SET = """
INSERT INTO change_sets (created_at, actor_id, actor_name, source, action, table_name, record_id,
                         record_label, details)
VALUES (%s, NULL, 'bench', 'command', 'order.place', 'orders', %s, %s, %s) RETURNING id
"""
_CHANGE = "(%s, %s, NULL, %s)"


class Bare:
    """A connection that places orders of three products, one unit each."""

    def __init__(self, conninfo: str) -> None:
        self.connection = psycopg.connect(conninfo)
        self.statements = 0

    def __call__(self, products: list[int], customer: int) -> None:
        """Place one order."""
        with self.connection.transaction():
            self._place(sorted(products), customer, datetime.now(UTC), secrets.token_hex(8))

    def _run(self, statement: str, values: Any = ()) -> list[Any]:
        self.statements += 1
        return self.connection.execute(statement, values).fetchall()

    def _place(self, products: list[int], customer: int, now: datetime, key: str) -> None:
        found = self._run(_LOCK, products)
        self._run(_KEY, (key,))
        ((_id, username, email, *_rest),) = self._run(_CUSTOMER, (customer,))
        taken = [value for product in products for value in (product, -1)]
        balances = self._run(_TAKE, (*taken, now, *products, *taken))
        ((_category, path),) = self._run(_PATHS, (found[0][9],))
        ((number,),) = self._run(_NUMBER)
        total = sum((row[4] for row in found), Decimal(0)).quantize(Decimal("0.01"))
        row = (str(number), customer, email, total, total, now, now.date(), key, now, now)
        ((order,),) = self._run(_ORDER, row)
        items = [
            (
                order,
                row[0],
                row[1],
                row[2],
                row[9],
                path,
                1,
                row[4],
                row[4].quantize(Decimal("0.01")),
            )
            for row in found
        ]
        made = self._run(_ITEMS, [value for item in items for value in item])
        left = dict(balances)
        moves = [(product, left[product], item, now) for item, product in made]
        self._run(_MOVES, [value for move in moves for value in move])
        self._run(_EVENT, (order, now))
        lines = [f"1 × {row[1]}" for row in found]
        details = Json({"lines": lines, "keys": {"user": [None, customer]}})
        ((change_set,),) = self._run(_CHANGE_SET, (now, order, str(number), details))
        told = {
            "number": str(number), "email": email, "currency": "GBP", "total_amount": str(total),
            "status": "pending", "placed_at": now.isoformat(), "user": username,
        }  # fmt: skip
        changes = ", ".join([_CHANGE] * len(told))
        values = [value for field, new in told.items() for value in (change_set, field, new)]
        self._run(
            "INSERT INTO changes (change_set_id, field, old_value, new_value) "
            f"VALUES {changes} RETURNING id",
            values,
        )
