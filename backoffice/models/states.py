"""What may follow what: the one table of transitions, and the states that follow from amounts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from backoffice.errors import TransitionError
from backoffice.models.order_items import OrderItem
from backoffice.models.orders import OrderStatus
from backoffice.models.payments import Payment, PaymentStatus
from backoffice.models.refunds import RefundStatus

# By type first: states of two types may have the same name, and are then equal as text.
TRANSITIONS: dict[type[StrEnum], dict[Any, tuple[Any, ...]]] = {
    OrderStatus: {
        OrderStatus.PENDING: (OrderStatus.PAID, OrderStatus.CANCELLED),
        OrderStatus.PAID: (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        OrderStatus.PROCESSING: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        OrderStatus.SHIPPED: (OrderStatus.COMPLETED,),
        OrderStatus.COMPLETED: (),
        OrderStatus.CANCELLED: (),
    },
    PaymentStatus: {
        PaymentStatus.PENDING: (
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        ),
        PaymentStatus.AUTHORIZED: (
            PaymentStatus.CAPTURED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        ),
        PaymentStatus.CAPTURED: (),
        PaymentStatus.FAILED: (),
        PaymentStatus.VOIDED: (),
    },
    RefundStatus: {
        RefundStatus.PENDING: (RefundStatus.SUCCEEDED, RefundStatus.FAILED),
        RefundStatus.SUCCEEDED: (),
        RefundStatus.FAILED: (),
    },
}
_NOUNS = {OrderStatus: "order", PaymentStatus: "payment", RefundStatus: "refund"}
_INSTEAD = {
    (OrderStatus, "shipped", "cancelled"): "Refund it instead.",
    (OrderStatus, "completed", "cancelled"): "Refund it instead.",
    (RefundStatus, "failed", "succeeded"): "Make a new refund.",
}


class PaymentState(StrEnum):
    """How an order's money stands; derived, never stored."""

    UNPAID = "unpaid"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


class FulfilmentState(StrEnum):
    """How much of an order has left; derived, never stored."""

    UNSHIPPED = "unshipped"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


def next_states(current: StrEnum) -> tuple[Any, ...]:
    """Return the states that may follow; none after a final one."""
    return TRANSITIONS[type(current)][current]


def can_become(current: StrEnum, target: StrEnum) -> bool:
    """Whether the one state may follow the other; both are of one type."""
    return type(current) is type(target) and target in next_states(current)


def require_transition(current: StrEnum, target: StrEnum) -> None:
    """Raise TransitionError, in words for the person at the screen, for what may not follow."""
    if can_become(current, target):
        return
    noun = _NOUNS[type(current)]
    if current is target:
        raise TransitionError(f"The {noun} is {current} already.")
    words = f"The {noun} is {current} and cannot become {target}."
    hint = _INSTEAD.get((type(current), current.value, target.value), "")
    raise TransitionError(f"{words} {hint}".strip())


def payment_state(total: Decimal, payments: Iterable[Payment]) -> PaymentState:
    """Return how an order of that total stands; an order that costs nothing is paid."""
    kept = list(payments)
    captured = sum((payment.captured_amount for payment in kept), Decimal(0))
    refunded = sum((payment.refunded_amount for payment in kept), Decimal(0))
    if refunded > 0:
        whole = refunded >= captured
        return PaymentState.REFUNDED if whole else PaymentState.PARTLY_REFUNDED
    if captured >= total:
        return PaymentState.PAID
    return PaymentState.PARTLY_PAID if captured > 0 else PaymentState.UNPAID


def fulfilment_state(items: Iterable[OrderItem]) -> FulfilmentState:
    """Return how much of the lines has left; cancelled units are not waited for."""
    lines = list(items)
    shipped = sum(line.quantity_shipped for line in lines)
    wanted = sum(line.quantity - line.quantity_cancelled for line in lines)
    if lines and wanted == 0:
        return FulfilmentState.CANCELLED
    if shipped == 0:
        return FulfilmentState.UNSHIPPED
    return FulfilmentState.SHIPPED if shipped >= wanted else FulfilmentState.PARTLY_SHIPPED
