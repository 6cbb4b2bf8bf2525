"""What a change of many products takes: sealing, carrying out, undoing; time, statements, memory.

    .venv/bin/python bench/bulk.py --rows 50000

Limits: 2,500 rows a second, so that 50,000 fit into one request; fifteen statements for each chunk;
20 MB.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from scratch import options, shop
from sqlalchemy import event

from backoffice.access import command_actor
from backoffice.admin.products import ProductView
from backoffice.db import db
from backoffice.models import Product
from backoffice.services.bulk_plans import CHUNK, Selection, apply_plan, seal_plan, undo_plan

_PRODUCTS = """
    INSERT INTO products (sku, name, price, unit_cost, stock, low_stock_threshold, is_available,
                          version, created_at, updated_at)
    SELECT 'P' || g, 'Product ' || g, (100 + g % 9900) / 100.0, 0.5, 0, 5, true, 1, now(), now()
    FROM generate_series(1, :rows) AS g
"""
ROWS_PER_SECOND, STATEMENTS, MEGABYTES = 2_500, 15, 20
RULE = {"rule": "percent", "amount": "5", "ends_99": False}


def main() -> int:
    """Measure, print, and return 1 when a limit is exceeded."""
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    given = parser.parse_args()
    chunks = -(-given.rows // CHUNK) + 1
    actor = command_actor("bench")
    (price,) = (one for one in ProductView.bulk_actions if one.name == "change_price")
    every = sa.select(Product)
    with shop(given.database_url, 1):
        with db.engine.begin() as connection:
            connection.execute(sa.text(_PRODUCTS), {"rows": given.rows})
        chosen = Selection(every, Product.sku, "")
        plan_id = 0

        def seal() -> None:
            nonlocal plan_id
            plan_id = seal_plan(actor, price, chosen, RULE)

        steps: dict[str, Callable[[], Any]] = {
            "seal": seal,
            "apply": lambda: apply_plan(actor, plan_id, price, every, reason="bench"),
            "undo": lambda: undo_plan(actor, plan_id, price, every),
        }
        over = [_is_over(name, work, given.rows, chunks) for name, work in steps.items()]
    return int(any(over))


def _is_over(name: str, work: Callable[[], Any], rows: int, chunks: int) -> bool:
    """Do one step, print what it took, and return whether a limit is exceeded."""
    seen: list[None] = []

    def note(*_arguments: Any) -> None:
        seen.append(None)

    event.listen(db.engine, "before_cursor_execute", note)
    before, started = _held(), time.perf_counter()
    work()
    seconds, grown = time.perf_counter() - started, _held() - before
    event.remove(db.engine, "before_cursor_execute", note)
    print(
        f"{name:6} {seconds:6.2f} s, {rows / seconds:,.0f} rows/s, {len(seen)} statements "
        f"({len(seen) / chunks:.1f} a chunk), memory grew by {grown:.1f} MB"
    )
    is_slow = rows / seconds < ROWS_PER_SECOND
    return is_slow or len(seen) / chunks > STATEMENTS or grown > MEGABYTES


def _held() -> float:
    """Return the megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
