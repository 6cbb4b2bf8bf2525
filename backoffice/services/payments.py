"""Money that comes in."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction, utc_now
from backoffice.errors import AmountTooLargeError, RuleViolationError
from backoffice.models import Order, OrderEventKind, OrderStatus, Payment, PaymentStatus
from backoffice.models.states import require_transition
from backoffice.services import audit
from backoffice.services.amounts import NOTHING, clean_positive
from backoffice.services.order_steps import (
    add_event,
    clean_required,
    lock_order,
    not_before,
    record_step,
    require_version,
    set_status,
)
from backoffice.services.shop import Shop, require_currency

_TAKEN = "This reference belongs to another payment."


def capture_payment(
    actor: Actor,
    order_id: int,
    *,
    amount: Decimal,
    provider: str,
    reference: str,
    shop: Shop,
    currency: str | None = None,
    expected_version: int | None = None,
) -> Payment:
    """Book money that has come in for a pending order; what is paid in full becomes paid.

    A payment of that provider and reference that waits is captured, else one is made; the same
    again changes nothing. Raises AmountTooLargeError for more than is due, TransitionError for an
    order that awaits no money.
    """
    actor.require(Permission.ORDER_CAPTURE)
    amount = clean_positive(amount, "amount")
    provider = clean_required(provider, "provider", 40)
    reference = clean_required(reference, "reference", 100)
    try:
        with transaction() as session:
            order = lock_order(session, order_id)
            payment = _find(session, order, provider, reference)
            if payment and payment.captured_amount == amount:
                return payment
            require_version(order, expected_version)
            require_currency(currency, order.currency)
            _require_due(order, amount)
            payment = payment or _new_payment(session, order, provider, reference, amount)
            _capture(session, actor, shop, order, payment, amount)
            return payment
    except IntegrityError as error:
        raise RuleViolationError(_TAKEN, field="reference") from error


def amount_due(order: Order) -> Decimal:
    """Return what the customer still has to pay; nothing once the order is no longer pending."""
    if order.status is not OrderStatus.PENDING:
        return NOTHING
    return order.total_amount - sum((each.refundable_amount for each in order.payments), NOTHING)


def _find(session: Session, order: Order, provider: str, reference: str) -> Payment | None:
    payment = session.scalar(
        sa.select(Payment).where(Payment.provider == provider, Payment.provider_ref == reference)
    )
    if payment is not None and payment.order_id != order.id:
        raise RuleViolationError(_TAKEN, field="reference")
    return payment


def _new_payment(
    session: Session, order: Order, provider: str, reference: str, amount: Decimal
) -> Payment:
    payment = Payment(
        order_id=order.id,
        provider=provider,
        provider_ref=reference,
        status=PaymentStatus.PENDING,
        amount=amount,
        captured_amount=NOTHING,
        refund_pending_amount=NOTHING,
        refunded_amount=NOTHING,
    )
    session.add(payment)
    return payment


def _require_due(order: Order, amount: Decimal) -> None:
    require_transition(order.status, OrderStatus.PAID)
    due = amount_due(order)
    if amount > due:
        raise AmountTooLargeError(f"Only {due} {order.currency} are due.", field="amount")


def _capture(
    session: Session, actor: Actor, shop: Shop, order: Order, payment: Payment, amount: Decimal
) -> None:
    require_transition(payment.status, PaymentStatus.CAPTURED)
    if amount > payment.amount:
        raise AmountTooLargeError(
            f"This payment is of {payment.amount} {order.currency} only.", field="amount"
        )
    is_paid = amount == amount_due(order)
    now = not_before(utc_now(), order.placed_at)
    payment.status, payment.captured_at = PaymentStatus.CAPTURED, now
    payment.captured_amount = amount
    data = {"payment": str(payment), "amount": str(amount), "currency": order.currency}
    if is_paid:
        kind = OrderEventKind.PAYMENT_CAPTURED
        set_status(session, actor, order, OrderStatus.PAID, kind=kind, data=data)
        order.paid_at, order.paid_on = now, shop.day(now)
    else:
        add_event(session, actor, order, OrderEventKind.PAYMENT_CAPTURED, data=data)
    part = audit.Told("payment", payment, audit.differences(session, payment))
    record_step(session, actor, "order.capture", order, parts=[part], details=data)
