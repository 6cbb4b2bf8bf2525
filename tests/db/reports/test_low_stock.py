"""What runs out first: stock at or below its threshold, and for how many days it lasts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from backoffice.models import OrderStatus, Product
from tests.db.reports.conftest import Run
from tests.factories import make_order, make_product

PERIOD = {"from_": "2026-06-01", "to": "2026-06-29"}


def product(session: Session, sku: str, stock: int, **values: Any) -> Product:
    return make_product(session, sku=sku, stock=stock, **({"low_stock_threshold": 10} | values))


def sell(session: Session, product: Product, units: int, day: int, **values: Any) -> None:
    moment = datetime(2026, 6, day, 12, tzinfo=UTC)
    make_order(session, (product, units, Decimal(1)), placed_at=moment, **values)


def test_the_soonest_to_run_out_comes_first(committed: Session, run: Run) -> None:
    slow, fast, idle = (product(committed, sku, 10) for sku in ("SLOW", "FAST", "IDLE"))
    gone = product(committed, "GONE", 0)
    sell(committed, slow, 3, 1)
    sell(committed, slow, 4, 28)
    for one, units in ((fast, 40), (gone, 1)):
        sell(committed, one, units, 10)

    rows = run("low_stock", **PERIOD).rows

    assert rows == (
        (gone.id, "GONE", gone.name, 0, 10, 1, 0),
        (fast.id, "FAST", fast.name, 10, 10, 40, 7),
        (slow.id, "SLOW", slow.name, 10, 10, 7, 40),
        (idle.id, "IDLE", idle.name, 10, 10, 0, None),
    )


def test_only_what_is_for_sale_and_low_is_listed(committed: Session, run: Run) -> None:
    product(committed, "ENOUGH", 11)
    product(committed, "GIVEN-UP", 1, is_available=False)
    product(committed, "LOW", 1)

    assert [row[1] for row in run("low_stock", **PERIOD).rows] == ["LOW"]


def test_what_was_not_paid_or_not_in_the_period_was_not_sold(committed: Session, run: Run) -> None:
    low = product(committed, "LOW", 1)
    sell(committed, low, 2, 10, status=OrderStatus.PENDING)
    sell(committed, low, 4, 29)
    sell(committed, low, 8, 28)

    assert [row[5] for row in run("low_stock", **PERIOD).rows] == [8]
