"""What every step of an order shares: a locked order, its timeline, its status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import utc_now
from backoffice.errors import InputError, StaleRecordError
from backoffice.models import Order, OrderEvent, OrderEventKind, OrderStatus
from backoffice.models.states import can_become, require_transition
from backoffice.services import audit
from backoffice.services.locks import lock_row

LONGEST_REASON = 500
LONGEST_KEY = 100


def lock_order(session: Session, order_id: int, expected_version: int | None = None) -> Order:
    """Return the order, locked; raise NotFoundError, or StaleRecordError for an older version.

    Every service that changes an order, its lines, payments or refunds locks the order first.
    """
    order = lock_row(session, Order, order_id)
    require_version(order, expected_version)
    return order


def require_version(order: Order, expected: int | None) -> None:
    """Raise StaleRecordError unless the order still is as the person saw it."""
    if expected is not None and order.version != expected:
        raise StaleRecordError(
            "This order has changed since you opened it. Look at it again, then decide."
        )


def add_event(
    session: Session,
    actor: Actor,
    order: Order,
    kind: OrderEventKind,
    *,
    body: str | None = None,
    data: dict[str, Any] | None = None,
) -> OrderEvent:
    """Add one entry to the order's timeline."""
    event = OrderEvent(
        order_id=order.id,
        kind=kind,
        body=body,
        data=data,
        actor_id=actor.user_id,
        actor_name=actor.name,
    )
    session.add(event)
    return event


def set_status(
    session: Session,
    actor: Actor,
    order: Order,
    target: OrderStatus,
    *,
    kind: OrderEventKind = OrderEventKind.STATUS_CHANGED,
    body: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Move the order on and say so in its timeline; raise TransitionError where it may not."""
    require_transition(order.status, target)
    event = add_event(session, actor, order, kind, body=body, data=data)
    event.from_status, event.to_status = order.status, target
    order.status = target


def ship_if_done(session: Session, actor: Actor, order: Order) -> None:
    """Make an order shipped of which something has left and nothing is left to leave."""
    if not can_become(order.status, OrderStatus.SHIPPED):
        return
    is_done = all(
        item.quantity_shipped + item.quantity_cancelled == item.quantity for item in order.items
    )
    if is_done and any(item.quantity_shipped for item in order.items):
        set_status(session, actor, order, OrderStatus.SHIPPED, body="Nothing is left to ship.")
        order.shipped_at = not_before(utc_now(), order.paid_at)


def not_before(moment: datetime, *earlier: datetime | None) -> datetime:
    """Return the moment, or the latest of the earlier ones where clocks disagree."""
    return max([moment, *(each for each in earlier if each is not None)])


def record_step(
    session: Session,
    actor: Actor,
    action: str,
    order: Order,
    *,
    parts: Sequence[audit.Told] = (),
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write the change set of a step, with the unflushed edits of the order and its lines.

    The order gets a new version even where only rows that belong to it have changed.
    """
    with session.no_autoflush:
        changes = audit.differences(session, order)
        told = [*_told_lines(session, order), *parts]
    order.updated_at = utc_now()
    audit.record(
        session, actor, action, order, changes=changes, parts=told, reason=reason, details=details
    )


def _told_lines(session: Session, order: Order) -> list[audit.Told]:
    """Return what changes in the order's lines: `line 2.quantity_shipped`."""
    told = (
        audit.Told(f"line {place}", item, audit.differences(session, item))
        for place, item in enumerate(order.items, start=1)
    )
    return [part for part in told if part.changes]


def clean_reason(text: str, field: str = "reason") -> str:
    """Return the reason without blanks around it; raise InputError without one or if too long."""
    return clean_text(text, field, LONGEST_REASON) or _missing("Write why.", field)


def clean_required(text: str, field: str, longest: int) -> str:
    """Return the text without blanks around it; raise InputError without one or if too long."""
    return clean_text(text, field, longest) or _missing("Fill this in.", field)


def clean_key(text: str) -> str:
    """Return the idempotency key; raise InputError for one that cannot be kept."""
    return clean_text(text, "key", LONGEST_KEY) or _missing("The form lacks its key.", "key")


def clean_text(text: str | None, field: str, longest: int) -> str | None:
    """Return the text without blanks around it, None for nothing; raise InputError if too long."""
    cleaned = (text or "").strip().replace("\x00", "")
    if len(cleaned) > longest:
        raise InputError(f"Use {longest:,} characters at most.", field=field)
    return cleaned or None


def _missing(sentence: str, field: str) -> str:
    raise InputError(sentence, field=field)
