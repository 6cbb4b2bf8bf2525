"""The way of an order after it was placed: packed, shipped, completed, or cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction, utc_now
from backoffice.errors import InputError, NotFoundError, RuleViolationError
from backoffice.models import (
    MovementKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderItem,
    OrderStatus,
    PaymentStatus,
)
from backoffice.models.states import require_transition
from backoffice.services import audit
from backoffice.services.cancellations import Cancellation, plan_cancellation
from backoffice.services.locks import lock_products
from backoffice.services.order_steps import (
    add_event,
    clean_reason,
    clean_required,
    clean_text,
    lock_order,
    not_before,
    record_step,
    set_status,
    ship_if_done,
)
from backoffice.services.reserving import make_refund, require_within_limit
from backoffice.services.shop import Shop
from backoffice.services.stock import Move, move

LONGEST_NOTE = 5_000


def find_order(session: Session, number: str) -> Order:
    """Return the order of that number; raise NotFoundError without one."""
    order = session.scalar(sa.select(Order).where(Order.number == number.strip()))
    if order is None:
        raise NotFoundError(f"There is no order {number!r}.")
    return order


def start_processing(actor: Actor, order_id: int, *, expected_version: int | None = None) -> Order:
    """Say that somebody packs a paid order."""
    actor.require(Permission.ORDER_SHIP)
    with transaction() as session:
        order = lock_order(session, order_id, expected_version)
        set_status(session, actor, order, OrderStatus.PROCESSING)
        record_step(session, actor, "order.process", order)
        return order


def ship_order(
    actor: Actor,
    order_id: int,
    *,
    quantities: Mapping[int, int] | None = None,
    tracking: str | None = None,
    expected_version: int | None = None,
) -> Order:
    """Ship units by the ids of their lines, all that is left without `quantities`.

    The order becomes shipped with the last of them.
    """
    actor.require(Permission.ORDER_SHIP)
    tracking = clean_text(tracking, "tracking", 200)
    with transaction() as session:
        order = lock_order(session, order_id, expected_version)
        require_transition(order.status, OrderStatus.SHIPPED)
        shipped = _to_ship(order, quantities)
        for item, units in shipped:
            item.quantity_shipped += units
        data = {
            "lines": [{"sku": item.sku, "quantity": units} for item, units in shipped],
            "tracking": tracking,
        }
        add_event(session, actor, order, OrderEventKind.SHIPPED, body=tracking, data=data)
        ship_if_done(session, actor, order)
        record_step(session, actor, "order.ship", order, details=data)
        return order


def complete_order(actor: Actor, order_id: int, *, expected_version: int | None = None) -> Order:
    """Say that a shipped order has arrived and is done with."""
    actor.require(Permission.ORDER_SHIP)
    with transaction() as session:
        order = lock_order(session, order_id, expected_version)
        set_status(session, actor, order, OrderStatus.COMPLETED)
        order.completed_at = not_before(utc_now(), order.paid_at, order.shipped_at)
        record_step(session, actor, "order.complete", order)
        return order


def cancel_order(
    actor: Actor,
    order_id: int,
    *,
    reason: str,
    shop: Shop,
    note: str | None = None,
    expected_version: int | None = None,
) -> Order:
    """Cancel an order of which nothing has left: its stock comes back, its money is refunded.

    Each captured payment gets a pending refund of all that it still has, payments that wait are
    voided. Money takes ORDER_REFUND too, and above the shop's limit ORDER_REFUND_LARGE.
    """
    actor.require(Permission.ORDER_CANCEL)
    reason, note = clean_reason(reason), clean_text(note, "note", LONGEST_NOTE)
    with transaction() as session:
        order = lock_order(session, order_id, expected_version)
        plan = plan_cancellation(session, order)
        cancel_locked(session, actor, order, plan, reason=reason, shop=shop, note=note)
        return order


def cancel_locked(
    session: Session,
    actor: Actor,
    order: Order,
    plan: Cancellation,
    *,
    reason: str,
    shop: Shop,
    note: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Carry out what `plan_cancellation` says of a locked order; joins the caller.

    Raises what `cancel_order` raises; the caller then rolls back.
    """
    actor.require(Permission.ORDER_CANCEL)
    if plan.refused is not None:
        raise plan.refused
    if plan.refund_amount:
        actor.require(Permission.ORDER_REFUND)
        require_within_limit(session, actor, order, shop, plan.refund_amount)
    lock_products(session, [item.product_id for item, _units in plan.give_back])
    told = _refund_all(session, actor, order, plan, reason, note)
    told += _void_open(session, order)
    _give_back(session, actor, plan)
    for item in order.items:
        item.quantity_cancelled = item.quantity - item.quantity_shipped
    set_status(session, actor, order, OrderStatus.CANCELLED, body=reason)
    order.cancelled_at = not_before(utc_now(), order.placed_at)
    order.cancel_reason = reason
    if note:
        add_event(session, actor, order, OrderEventKind.NOTE_ADDED, body=note)
    record_step(session, actor, "order.cancel", order, parts=told, reason=reason, details=details)


def add_note(actor: Actor, order_id: int, *, body: str) -> OrderEvent:
    """Add a note to an order's timeline, for good."""
    actor.require(Permission.ORDER_WRITE)
    body = clean_required(body, "body", LONGEST_NOTE)
    with transaction() as session:
        order = session.get(Order, order_id)
        if order is None:
            raise NotFoundError("There is no such order.")
        event = add_event(session, actor, order, OrderEventKind.NOTE_ADDED, body=body)
        audit.record(session, actor, "order.note", order, changes={"note": (None, body)})
        return event


def _to_ship(order: Order, quantities: Mapping[int, int] | None) -> list[tuple[OrderItem, int]]:
    """Return the lines and units that leave; raise with the field to blame for others."""
    items = {item.id: item for item in order.items}
    left = {
        key: item.quantity - item.quantity_shipped - item.quantity_cancelled
        for key, item in items.items()
    }
    wanted = quantities if quantities is not None else {key: n for key, n in left.items() if n}
    if not wanted:
        raise RuleViolationError("There is nothing to ship.", field="lines")
    for key, units in wanted.items():
        field = f"lines.{key}.quantity"
        if key not in items:
            raise NotFoundError("This order has no such line.", field=field)
        if units < 1:
            raise InputError("Ship one unit at least.", field=field)
        if units > left[key]:
            raise RuleViolationError(
                f"Only {left[key]} of {items[key].sku} are left to ship.", field=field
            )
    return [(items[key], units) for key, units in sorted(wanted.items())]


def _refund_all(
    session: Session, actor: Actor, order: Order, plan: Cancellation, reason: str, note: str | None
) -> list[audit.Told]:
    told = []
    for payment, parts in plan.refunds:
        # Nobody can have used it before; that it happens once is for the order's status to say.
        key = f"cancel-{uuid4()}"
        _refund, part = make_refund(
            session, actor, order, payment, parts, reason=reason, key=key, note=note
        )
        told.append(part)
    return told


def _void_open(session: Session, order: Order) -> list[audit.Told]:
    """Void the payments that wait; return what the change log tells of them."""
    told = []
    for payment in order.payments:
        if payment.status in (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED):
            require_transition(payment.status, PaymentStatus.VOIDED)
            payment.status = PaymentStatus.VOIDED
            told.append(audit.Told("payment", payment, audit.differences(session, payment)))
    return told


def _give_back(session: Session, actor: Actor, plan: Cancellation) -> None:
    moves = [Move(item.product_id, units, order_item_id=item.id) for item, units in plan.give_back]
    move(session, actor, MovementKind.CANCEL, moves)
