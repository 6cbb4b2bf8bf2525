"""What a cancellation or a refund would do, for pages and commands; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.models import Order, OrderItem, Payment
from backoffice.services.amounts import NOTHING
from backoffice.services.cancellations import plan_cancellation
from backoffice.services.refund_lines import (
    LineState,
    line_states,
    refunded_in_all,
    remaining_shipping,
)
from backoffice.services.refund_requests import Parts
from backoffice.services.shop import Shop


@dataclass(frozen=True, slots=True)
class CancelPreview:
    """What cancelling does: units that come back by line, money that goes back by payment.

    `refused` is the sentence that the cancellation would be refused with, None where it would not.
    """

    refused: str | None
    give_back: Sequence[tuple[OrderItem, int]]
    refunds: Sequence[tuple[Payment, Parts]]
    refund_amount: Decimal


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What can still be refunded: by line, of the shipping, and by payment.

    `refundable_amount` is what all payments still have; `allowed_amount` is how much of it the
    actor may give back.
    """

    lines: Sequence[LineState]
    shipping_amount: Decimal
    payments: Sequence[Payment]
    refundable_amount: Decimal
    allowed_amount: Decimal

    def prefilled(self, line: LineState) -> Decimal:
        """Return the amount of all remaining units of a line, without tax, as far as there is."""
        return min(line.amount_of(line.remaining_quantity), self.refundable_amount)


def preview_cancel(session: Session, actor: Actor, order: Order, shop: Shop) -> CancelPreview:
    """Return what `cancel_order` would do for this actor."""
    actor.require(Permission.ORDER_CANCEL)
    plan = plan_cancellation(session, order)
    refused = str(plan.refused) if plan.refused else None
    allowed = _allowed(session, actor, order, shop, plan.refund_amount)
    if allowed < plan.refund_amount:
        refused = "This gives back more money than you may. Ask a manager."
    return CancelPreview(refused, plan.give_back, plan.refunds, plan.refund_amount)


def preview_refund(session: Session, actor: Actor, order: Order, shop: Shop) -> RefundPreview:
    """Return what `request_refund` would let this actor give back."""
    actor.require(Permission.ORDER_REFUND)
    payments = [each for each in order.payments if each.refundable_amount > 0]
    refundable = sum((each.refundable_amount for each in payments), NOTHING)
    return RefundPreview(
        lines=list(line_states(session, order).values()),
        shipping_amount=remaining_shipping(session, order),
        payments=payments,
        refundable_amount=refundable,
        allowed_amount=_allowed(session, actor, order, shop, refundable),
    )


def _allowed(session: Session, actor: Actor, order: Order, shop: Shop, wanted: Decimal) -> Decimal:
    """Return how much of an amount the actor may give back."""
    if not wanted or actor.can(Permission.ORDER_REFUND_LARGE):
        return wanted
    if not actor.can(Permission.ORDER_REFUND):
        return NOTHING
    return max(NOTHING, min(wanted, shop.refund_limit - refunded_in_all(session, order)))
