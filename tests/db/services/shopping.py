"""Orders for tests of services, made by the services themselves."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.models import Order, OrderEvent, Product, StockMovement
from backoffice.services.carts import Buyer, CartLine
from backoffice.services.orders import ship_order
from backoffice.services.payments import capture_payment
from backoffice.services.placing import PlacedOrder, place_order
from backoffice.services.shop import Shop
from tests.factories import make_product, move_stock

SHOP = Shop(ZoneInfo("America/New_York"), "USD", Decimal(200))
GUEST = Buyer(email="Guest@Example.com")
_keys = itertools.count(1)


def stocked(session: Session, units: int = 10, **values: Any) -> Product:
    """A product with so many units on the shelf."""
    product = make_product(session, **values)
    if units:
        move_stock(session, product, units)
    return product


def place(
    actor: Actor, *lines: tuple[Product, int], buyer: Buyer = GUEST, **values: Any
) -> PlacedOrder:
    cart = [CartLine(product.id, quantity) for product, quantity in lines]
    defaults: dict[str, Any] = {"lines": cart, "key": f"place-{next(_keys)}", "shop": SHOP}
    return place_order(actor, buyer, **(defaults | values))


def pending_order(
    session: Session, actor: Actor, *lines: tuple[Product, int], **values: Any
) -> Order:
    return session.get_one(Order, place(actor, *lines, **values).order_id)


def paid_order(session: Session, actor: Actor, *lines: tuple[Product, int], **values: Any) -> Order:
    order = pending_order(session, actor, *lines, **values)
    capture(actor, order, order.total_amount)
    return order


def shipped_order(
    session: Session, actor: Actor, *lines: tuple[Product, int], **values: Any
) -> Order:
    order = paid_order(session, actor, *lines, **values)
    return ship_order(actor, order.id)


def capture(actor: Actor, order: Order, amount: Decimal | int, **values: Any) -> Any:
    defaults: dict[str, Any] = {"provider": "card", "reference": f"ref-{next(_keys)}", "shop": SHOP}
    return capture_payment(actor, order.id, amount=Decimal(amount), **(defaults | values))


def timeline(session: Session, order: Order) -> list[tuple[str, str | None, str | None]]:
    events = session.scalars(
        sa.select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id)
    )
    return [(each.kind.value, each.from_status, each.to_status) for each in events]


def ledger(session: Session, product: Product) -> list[tuple[str, int, int]]:
    rows = session.scalars(
        sa.select(StockMovement)
        .where(StockMovement.product_id == product.id)
        .order_by(StockMovement.id)
    )
    return [(row.kind.value, row.delta, row.balance_after) for row in rows]
