"""How much of a product is promised to open orders, and with that, how much lies in the store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, OrderItem, OrderStatus

OPEN = (OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.PROCESSING)
_SETTLED = OrderItem.quantity_shipped + OrderItem.quantity_cancelled
_WAITING = sa.and_(OrderItem.quantity > _SETTLED, Order.status.in_(OPEN))


def committed_units(product_id: Any) -> sa.ScalarSelect[int]:
    """Return SQL of the units of a product that open orders wait for; they left its stock."""
    units = sa.func.coalesce(sa.func.sum(OrderItem.quantity - _SETTLED), 0)
    return (
        sa.select(units)
        .join(Order, Order.id == OrderItem.order_id)
        .where(OrderItem.product_id == product_id, _WAITING)
        .scalar_subquery()
    )


def read_committed(session: Session, product_ids: Collection[int]) -> dict[int, int]:
    """Return the committed units of each of the products, by its id, in one statement."""
    rows = session.execute(
        sa.select(OrderItem.product_id, sa.func.sum(OrderItem.quantity - _SETTLED))
        .join(Order, Order.id == OrderItem.order_id)
        .where(OrderItem.product_id.in_(product_ids), _WAITING)
        .group_by(OrderItem.product_id)
    )
    return dict.fromkeys(product_ids, 0) | {row[0]: int(row[1]) for row in rows}
