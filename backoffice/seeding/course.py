"""The course of an order: its payment and the events of its timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from backoffice.models import OrderEventKind, OrderStatus, PaymentStatus
from backoffice.seeding.tables import Row

SHOP, STAFF = "shop", "staff"
_CARD_WITHIN = timedelta(minutes=15)
_NOTHING = ("captured_amount", "refund_pending_amount", "refunded_amount")


def payment_row(order: Row) -> Row:
    """Return the one payment of an order: captured, still awaited, or come to nothing."""
    paid_at, ended_at = order["paid_at"], order["cancelled_at"]
    provider = "bank_transfer"
    if paid_at and paid_at - order["placed_at"] <= _CARD_WITHIN:
        provider = "card"
    return {
        "order_id": order["id"],
        "provider": provider,
        "provider_ref": f"{provider}-{order['number']}",
        "status": _payment_status(order),
        "amount": order["total_amount"],
        **dict.fromkeys(_NOTHING, 0),
        **({"captured_amount": order["total_amount"]} if paid_at else {}),
        "captured_at": paid_at,
        "created_at": order["placed_at"],
        "updated_at": paid_at or ended_at or order["placed_at"],
    }


def _payment_status(order: Row) -> PaymentStatus:
    if order["paid_at"]:
        return PaymentStatus.CAPTURED
    if order["status"] is not OrderStatus.CANCELLED:
        return PaymentStatus.PENDING
    failed = order["cancel_reason"] == "Payment failed"
    return PaymentStatus.FAILED if failed else PaymentStatus.VOIDED


def event_rows(order: Row) -> Iterator[Row]:
    """Give the events of an order as they followed each other."""
    states = OrderStatus
    yield _event(order, OrderEventKind.PLACED, order["placed_at"], None, states.PENDING)
    state = states.PENDING
    for kind, moment, target in _steps(order):
        if moment is not None:
            body = order["cancel_reason"] if target is states.CANCELLED else None
            yield _event(order, kind, moment, state, target, body)
            state = target


def _steps(order: Row) -> Iterator[tuple[OrderEventKind, datetime | None, OrderStatus]]:
    changed = OrderEventKind.STATUS_CHANGED
    yield changed, order["cancelled_at"], OrderStatus.CANCELLED
    yield OrderEventKind.PAYMENT_CAPTURED, order["paid_at"], OrderStatus.PAID
    if order["status"] is OrderStatus.PROCESSING:
        yield changed, order["paid_at"] + timedelta(hours=20), OrderStatus.PROCESSING
    yield OrderEventKind.SHIPPED, order["shipped_at"], OrderStatus.SHIPPED
    yield changed, order["completed_at"], OrderStatus.COMPLETED


def _event(
    order: Row,
    kind: OrderEventKind,
    moment: datetime,
    state: OrderStatus | None,
    target: OrderStatus,
    body: str | None = None,
) -> dict[str, Any]:
    by_hand = (OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    return {
        "order_id": order["id"],
        "kind": kind,
        "from_status": state,
        "to_status": target,
        "body": body,
        "data": None,
        "actor_id": None,
        "actor_name": STAFF if target in by_hand else SHOP,
        "created_at": moment,
    }
