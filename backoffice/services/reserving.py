"""The money of a refund: reserved by a guarded UPDATE before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.errors import AmountTooLargeError, PermissionDeniedError
from backoffice.models import Order, OrderEventKind, Payment, Refund, RefundItem
from backoffice.services import audit
from backoffice.services.amounts import CENT, NOTHING
from backoffice.services.numbers import REFUND_NUMBERS, next_number
from backoffice.services.order_steps import add_event
from backoffice.services.refund_lines import refunded_in_all
from backoffice.services.refund_requests import Part, Parts
from backoffice.services.shop import Shop

_PAYMENTS = cast("sa.Table", Payment.__table__)


def require_within_limit(
    session: Session, actor: Actor, order: Order, shop: Shop, amount: Decimal
) -> None:
    """Raise PermissionDeniedError where the order's refunds get large and the actor may not."""
    if actor.can(Permission.ORDER_REFUND_LARGE):
        return
    if refunded_in_all(session, order) + amount > shop.refund_limit:
        raise PermissionDeniedError(above_limit(shop, order.currency), field="amount")


def above_limit(shop: Shop, currency: str) -> str:
    """Return the sentence for refunds that get too large for the actor."""
    return f"Refunds above {shop.refund_limit} {currency} in all need a manager."


def make_refund(
    session: Session,
    actor: Actor,
    order: Order,
    payment: Payment,
    parts: Parts,
    *,
    reason: str,
    key: str,
    note: str | None = None,
) -> tuple[Refund, audit.Told]:
    """Reserve the money of a refund and write it down, pending; joins the caller.

    The number comes last, since its series stays locked. Raises AmountTooLargeError where the
    payment cannot give so much.
    """
    told = move_money(session, payment, pending=parts.amount)
    refund = Refund(
        order_id=order.id,
        payment_id=payment.id,
        user_id=order.user_id,
        country=order.country,
        currency=order.currency,
        amount=parts.amount,
        shipping_amount=parts.shipping_amount,
        tax_amount=parts.tax_amount,
        reason=reason,
        note=note,
        idempotency_key=key,
        actor_id=actor.user_id,
        actor_name=actor.name,
        items=[_item(part) for part in parts.lines],
        number=next_number(session, REFUND_NUMBERS),
    )
    session.add(refund)
    session.flush()
    data: dict[str, Any] = {"refund": refund.number, "amount": str(refund.amount)}
    add_event(session, actor, order, OrderEventKind.REFUND_REQUESTED, body=reason, data=data)
    return refund, told


def _item(part: Part) -> RefundItem:
    return RefundItem(
        order_item_id=part.item and part.item.id,
        quantity=part.quantity,
        amount=part.amount,
        tax_amount=part.tax_amount,
        restock_quantity=part.restock_quantity,
    )


def move_money(
    session: Session,
    payment: Payment,
    *,
    pending: Decimal = NOTHING,
    refunded: Decimal = NOTHING,
) -> audit.Told:
    """Add to what a payment has reserved and given back; return what the change log tells of it.

    Raises AmountTooLargeError, by a guarded UPDATE, where the payment does not have so much.
    """
    before = (payment.refund_pending_amount, payment.refunded_amount)
    columns = _PAYMENTS.c
    new_pending = sa.func.round(columns.refund_pending_amount + pending, 2)
    new_refunded = sa.func.round(columns.refunded_amount + refunded, 2)
    done = session.execute(
        sa.update(_PAYMENTS)
        .where(
            columns.id == payment.id,
            # SQLite's numbers are binary: what should be nothing may be a little less.
            columns.captured_amount - new_pending - new_refunded > -CENT,
            new_pending > -CENT,
        )
        .values(refund_pending_amount=new_pending, refunded_amount=new_refunded)
        .returning(columns.id)
    ).one_or_none()
    session.refresh(payment)
    if done is None:
        raise AmountTooLargeError(
            f"Only {payment.refundable_amount} of this payment can be refunded.", field="amount"
        )
    changes = {
        "refund_pending_amount": (before[0], payment.refund_pending_amount),
        "refunded_amount": (before[1], payment.refunded_amount),
    }
    return audit.Told("payment", payment, {k: v for k, v in changes.items() if v[0] != v[1]})
