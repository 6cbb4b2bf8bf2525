"""What happened to an order: events, notes and edits of fields, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.admin.masking import read
from backoffice.models import ChangeSet, Order, OrderEvent, OrderEventKind
from backoffice.services.history import change_sets_of

NEWEST = 100
# These steps tell in their own events what they did.
_TOLD_BY_EVENTS = (
    "order.place",
    "order.capture",
    "order.process",
    "order.ship",
    "order.complete",
    "order.cancel",
    "order.refund",
    "order.settle_refund",
    "order.fail_refund",
    "order.note",
)
_WORDS = {
    OrderEventKind.PLACED: "Placed",
    OrderEventKind.PAYMENT_CAPTURED: "Payment booked",
    OrderEventKind.STATUS_CHANGED: "Status changed",
    OrderEventKind.NOTE_ADDED: "Note",
    OrderEventKind.ITEM_CANCELLED: "Units cancelled",
    OrderEventKind.REFUND_REQUESTED: "Refund begun",
    OrderEventKind.REFUND_SUCCEEDED: "Refund done",
    OrderEventKind.REFUND_FAILED: "Refund failed",
    OrderEventKind.RESTOCKED: "Put back into stock",
    OrderEventKind.SHIPPED: "Shipped",
    OrderEventKind.TRACKING_UPDATED: "Tracking changed",
    OrderEventKind.ADDRESS_CHANGED: "Address changed",
    OrderEventKind.EMAIL_SENT: "E-mail sent",
    OrderEventKind.IMPORT_TOUCHED: "Touched by an import",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: who did what and when; `change_set` is that of an edit."""

    at: datetime
    who: str
    what: str
    detail: str = ""
    text: str | None = None
    event: OrderEvent | None = None
    change_set: ChangeSet | None = None


def timeline_of(session: Session, order: Order, *, with_edits: bool) -> list[Entry]:
    """Return the newest entries, newest first: a statement for events and one for edits."""
    events = session.scalars(
        sa.select(OrderEvent)
        .where(OrderEvent.order_id == order.id)
        .order_by(OrderEvent.id.desc())
        .limit(NEWEST)
    )
    entries = [_of_event(event) for event in events]
    if with_edits:
        edits: Sequence[ChangeSet] = change_sets_of(session, order, limit=NEWEST)
        entries += [_of_edit(made) for made in edits if made.action not in _TOLD_BY_EVENTS]
    # Sorted stably: what one step did at one moment stays in its order.
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:NEWEST]


def _of_event(event: OrderEvent) -> Entry:
    return Entry(
        event.created_at,
        event.actor_name,
        _WORDS[event.kind],
        _detail(event.data or {}),
        read(event, "body"),
        event=event,
    )


def _of_edit(made: ChangeSet) -> Entry:
    what = "Customer revealed" if made.action == "customer.reveal" else "Edited"
    return Entry(made.created_at, made.actor_name, what, "", made.reason, change_set=made)


def _detail(data: dict[str, Any]) -> str:
    """Return the amounts and units of an event; nothing else of its data is shown."""
    told = [str(data[name]) for name in ("refund", "payment") if data.get(name)]
    if data.get("amount"):
        told.append(f"{data['amount']} {data.get('currency', '')}".strip())
    lines = data.get("lines") or ([data] if "sku" in data else [])
    told += [f"{line.get('quantity')} × {line.get('sku')}" for line in lines if "sku" in line]
    return ", ".join(told)
