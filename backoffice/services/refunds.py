"""Money that goes back: reserved first, then sent or not; what becomes of the goods is apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction, utc_now
from backoffice.errors import AmountTooLargeError, InputError, NotFoundError, RuleViolationError
from backoffice.models import MovementKind, Order, OrderEventKind, Payment, Refund, RefundStatus
from backoffice.models.states import require_transition
from backoffice.services.amounts import NOTHING, clean_amount
from backoffice.services.locks import lock_products, lock_row
from backoffice.services.order_steps import (
    add_event,
    clean_key,
    clean_reason,
    clean_text,
    lock_order,
    not_before,
    record_step,
    require_version,
    ship_if_done,
)
from backoffice.services.refund_lines import LineState, line_states, remaining_shipping
from backoffice.services.refund_requests import (
    Part,
    Parts,
    RefundLine,
    choose_payment,
    price_lines,
)
from backoffice.services.reserving import make_refund, move_money, require_within_limit
from backoffice.services.shop import Shop, require_currency
from backoffice.services.stock import Move, move

LONGEST_NOTE = 5_000
_USED = "This form has made another refund already. Begin a new one."


def request_refund(
    actor: Actor,
    order_id: int,
    *,
    lines: Sequence[RefundLine] = (),
    shipping_amount: Decimal = NOTHING,
    other_amount: Decimal = NOTHING,
    reason: str,
    key: str,
    shop: Shop,
    note: str | None = None,
    payment_id: int | None = None,
    currency: str | None = None,
    expected_version: int | None = None,
) -> Refund:
    """Reserve money of a captured payment to be given back, and put goods back into the stock.

    The refund is pending until it is settled or failed. `other_amount` belongs to no line. Units
    that are put back are those that have not left, before those that have; the former are
    cancelled. The same `key` makes one refund. Refunds of an order above the shop's limit take
    ORDER_REFUND_LARGE.
    """
    actor.require(Permission.ORDER_REFUND)
    shipping = clean_amount(shipping_amount, "shipping_amount")
    other = clean_amount(other_amount, "other_amount")
    reason, key = clean_reason(reason), clean_key(key)
    note = clean_text(note, "note", LONGEST_NOTE)
    try:
        with transaction() as session:
            order = lock_order(session, order_id)
            if earlier := _earlier(session, order, key, lines, shipping, other):
                if payment_id not in (None, earlier.payment_id):
                    raise RuleViolationError(_USED, field="key")
                return earlier
            require_version(order, expected_version)
            require_currency(currency, order.currency)
            states = line_states(session, order)
            parts = _plan(session, order, states, lines, shipping, other)
            payment = choose_payment(order, payment_id, parts.amount)
            require_within_limit(session, actor, order, shop, parts.amount)
            _lock_restocked(session, parts)
            refund, told = make_refund(
                session, actor, order, payment, parts, reason=reason, key=key, note=note
            )
            _put_back(session, actor, order, refund, states)
            record_step(
                session,
                actor,
                "order.refund",
                order,
                parts=[told],
                reason=reason,
                details=_details(refund),
            )
            return refund
    except IntegrityError as error:
        raise RuleViolationError(_USED, field="key") from error


def plan_refund(
    session: Session,
    order: Order,
    *,
    lines: Sequence[RefundLine] = (),
    shipping_amount: Decimal = NOTHING,
    other_amount: Decimal = NOTHING,
) -> Parts:
    """Return what `request_refund` would give back, or raise what it would; reads only."""
    shipping = clean_amount(shipping_amount, "shipping_amount")
    other = clean_amount(other_amount, "other_amount")
    return _plan(session, order, line_states(session, order), lines, shipping, other)


def settle_refund(
    actor: Actor, refund_id: int, *, shop: Shop, expected_version: int | None = None
) -> Refund:
    """Book that the money of a pending refund has gone; `expected_version` is the order's."""
    actor.require(Permission.ORDER_REFUND)
    with transaction() as session:
        order, refund = _lock_refund(session, refund_id, expected_version)
        require_transition(refund.status, RefundStatus.SUCCEEDED)
        payment = session.get_one(Payment, refund.payment_id)
        told = move_money(session, payment, pending=-refund.amount, refunded=refund.amount)
        for item in refund.items:
            if item.order_item is not None:
                item.order_item.quantity_refunded += item.quantity
        _finish(refund, RefundStatus.SUCCEEDED, shop)
        add_event(session, actor, order, OrderEventKind.REFUND_SUCCEEDED, data=_details(refund))
        record_step(
            session, actor, "order.settle_refund", order, parts=[told], details=_details(refund)
        )
        return refund


def fail_refund(
    actor: Actor, refund_id: int, *, reason: str, shop: Shop, expected_version: int | None = None
) -> Refund:
    """Book that the money of a pending refund did not go: it can be refunded again, by a new one.

    Goods that were put back stay where they are. `expected_version` is the order's.
    """
    actor.require(Permission.ORDER_REFUND)
    reason = clean_reason(reason)
    with transaction() as session:
        order, refund = _lock_refund(session, refund_id, expected_version)
        require_transition(refund.status, RefundStatus.FAILED)
        payment = session.get_one(Payment, refund.payment_id)
        told = move_money(session, payment, pending=-refund.amount)
        _finish(refund, RefundStatus.FAILED, shop)
        data = _details(refund)
        add_event(session, actor, order, OrderEventKind.REFUND_FAILED, body=reason, data=data)
        record_step(
            session, actor, "order.fail_refund", order, parts=[told], reason=reason, details=data
        )
        return refund


def _earlier(
    session: Session,
    order: Order,
    key: str,
    lines: Sequence[RefundLine],
    shipping: Decimal,
    other: Decimal,
) -> Refund | None:
    """Return the refund that this key made; raise RuleViolationError if it is not what is asked."""
    refund = session.scalar(sa.select(Refund).where(Refund.idempotency_key == key))
    if refund is None:
        return None
    made = {(item.order_item_id, item.quantity, item.restock_quantity) for item in refund.items}
    asked = {(line.item_id, line.quantity, line.restock_quantity) for line in lines}
    if other:
        asked.add((None, 0, 0))  # type: ignore[arg-type]
    amounts = {item.order_item_id: item.amount for item in refund.items}
    is_same = made == asked and all(line.amount in (None, amounts[line.item_id]) for line in lines)
    if (
        refund.order_id != order.id
        or not is_same
        or refund.shipping_amount != shipping
        or amounts.get(None, NOTHING) != other
    ):
        raise RuleViolationError(_USED, field="key")
    return refund


def _plan(
    session: Session,
    order: Order,
    states: Mapping[int, LineState],
    lines: Sequence[RefundLine],
    shipping: Decimal,
    other: Decimal,
) -> Parts:
    """Return what the refund is made of; raise where there is nothing, or not so much."""
    priced = price_lines(states, lines)
    if shipping and shipping > (left := remaining_shipping(session, order)):
        raise AmountTooLargeError(
            f"Only {left} of the shipping can be refunded.", field="shipping_amount"
        )
    if other:
        priced.append(Part(None, 0, other))
    parts = Parts(tuple(priced), shipping)
    if not parts.amount:
        raise InputError("Choose what is refunded.", field="lines")
    return parts


def _lock_restocked(session: Session, parts: Parts) -> None:
    restocked = [part.item for part in parts.lines if part.item and part.restock_quantity]
    lock_products(session, [item.product_id for item in restocked])


def _put_back(
    session: Session,
    actor: Actor,
    order: Order,
    refund: Refund,
    states: Mapping[int, LineState],
) -> None:
    """Move the units of a refund that are put back; those that have not left are cancelled."""
    put_back = [
        (item, states[item.order_item_id])
        for item in refund.items
        if item.order_item_id is not None and item.restock_quantity
    ]
    moves = [
        Move(state.item.product_id, item.restock_quantity, refund_item_id=item.id)
        for item, state in put_back
    ]
    move(session, actor, MovementKind.RESTOCK, moves)
    for item, state in put_back:
        data = {"refund": refund.number, "sku": state.item.sku, "quantity": item.restock_quantity}
        add_event(session, actor, order, OrderEventKind.RESTOCKED, data=data)
        if units := min(item.restock_quantity, state.unshipped_quantity):
            state.item.quantity_cancelled += units
            data = {"sku": state.item.sku, "quantity": units}
            add_event(session, actor, order, OrderEventKind.ITEM_CANCELLED, data=data)
    ship_if_done(session, actor, order)


def _lock_refund(
    session: Session, refund_id: int, expected_version: int | None
) -> tuple[Order, Refund]:
    """Return a refund and its order, both locked, the order first."""
    order_id = session.scalar(sa.select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise NotFoundError("There is no such refund of an order.")
    order = lock_order(session, order_id, expected_version)
    return order, lock_row(session, Refund, refund_id)


def _finish(refund: Refund, status: RefundStatus, shop: Shop) -> None:
    now = not_before(utc_now(), refund.created_at)
    refund.status, refund.processed_at, refund.processed_on = status, now, shop.day(now)


def _details(refund: Refund) -> dict[str, str]:
    return {"refund": refund.number, "amount": str(refund.amount), "currency": refund.currency}
