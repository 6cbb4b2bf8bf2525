"""What may follow what, and the states that follow from amounts and quantities."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import pytest

from backoffice.errors import TransitionError
from backoffice.models import OrderItem, OrderStatus, Payment, PaymentStatus, RefundStatus
from backoffice.models.states import (
    TRANSITIONS,
    FulfilmentState,
    PaymentState,
    can_become,
    fulfilment_state,
    next_states,
    payment_state,
    require_transition,
)

ALLOWED = {
    ("order", "pending", "paid"),
    ("order", "pending", "cancelled"),
    ("order", "paid", "processing"),
    ("order", "paid", "shipped"),
    ("order", "paid", "cancelled"),
    ("order", "processing", "shipped"),
    ("order", "processing", "cancelled"),
    ("order", "shipped", "completed"),
    ("payment", "pending", "authorized"),
    ("payment", "pending", "captured"),
    ("payment", "pending", "failed"),
    ("payment", "pending", "voided"),
    ("payment", "authorized", "captured"),
    ("payment", "authorized", "failed"),
    ("payment", "authorized", "voided"),
    ("refund", "pending", "succeeded"),
    ("refund", "pending", "failed"),
}
NOUNS: dict[type[StrEnum], str] = {
    OrderStatus: "order",
    PaymentStatus: "payment",
    RefundStatus: "refund",
}


def test_exactly_these_states_follow_each_other() -> None:
    found = {
        (noun, str(one), str(other))
        for states, noun in NOUNS.items()
        for one in states
        for other in states
        if can_become(one, other)
    }

    assert found == ALLOWED


def test_every_state_is_in_the_table() -> None:
    assert {states: set(table) for states, table in TRANSITIONS.items()} == {
        states: set(states) for states in NOUNS
    }


def test_states_of_two_kinds_never_follow_each_other() -> None:
    assert not can_become(RefundStatus.PENDING, PaymentStatus.FAILED)
    assert next_states(RefundStatus.PENDING) == (RefundStatus.SUCCEEDED, RefundStatus.FAILED)


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        (
            OrderStatus.SHIPPED,
            OrderStatus.CANCELLED,
            "The order is shipped and cannot become cancelled. Refund it instead.",
        ),
        (
            OrderStatus.CANCELLED,
            OrderStatus.PAID,
            "The order is cancelled and cannot become paid.",
        ),
        (OrderStatus.PAID, OrderStatus.PAID, "The order is paid already."),
        (
            PaymentStatus.CAPTURED,
            PaymentStatus.VOIDED,
            "The payment is captured and cannot become voided.",
        ),
        (
            RefundStatus.FAILED,
            RefundStatus.SUCCEEDED,
            "The refund is failed and cannot become succeeded. Make a new refund.",
        ),
    ],
)
def test_a_refusal_says_what_stands_in_the_way(one: StrEnum, other: StrEnum, sentence: str) -> None:
    with pytest.raises(TransitionError) as caught:
        require_transition(one, other)

    assert str(caught.value) == sentence


def test_what_is_allowed_passes() -> None:
    require_transition(OrderStatus.PENDING, OrderStatus.PAID)


@pytest.mark.parametrize(
    ("captured", "refunded", "state"),
    [
        ([], [], PaymentState.UNPAID),
        (["0"], ["0"], PaymentState.UNPAID),
        (["40"], ["0"], PaymentState.PARTLY_PAID),
        (["40", "60"], ["0", "0"], PaymentState.PAID),
        (["100"], ["0.01"], PaymentState.PARTLY_REFUNDED),
        (["40", "60"], ["40", "60"], PaymentState.REFUNDED),
    ],
)
def test_the_state_of_the_money_follows_from_amounts(
    captured: list[str], refunded: list[str], state: PaymentState
) -> None:
    payments = [
        Payment(captured_amount=Decimal(one), refunded_amount=Decimal(other))
        for one, other in zip(captured, refunded, strict=True)
    ]

    assert payment_state(Decimal(100), payments) is state


def test_an_order_that_costs_nothing_is_paid() -> None:
    assert payment_state(Decimal(0), []) is PaymentState.PAID


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], FulfilmentState.UNSHIPPED),
        ([(2, 0, 0)], FulfilmentState.UNSHIPPED),
        ([(2, 1, 0)], FulfilmentState.PARTLY_SHIPPED),
        ([(2, 2, 0), (1, 0, 0)], FulfilmentState.PARTLY_SHIPPED),
        ([(2, 2, 0), (1, 0, 1)], FulfilmentState.SHIPPED),
        ([(2, 0, 2), (1, 0, 1)], FulfilmentState.CANCELLED),
    ],
)
def test_the_state_of_the_goods_follows_from_quantities(
    lines: list[tuple[int, int, int]], state: FulfilmentState
) -> None:
    items = [
        OrderItem(quantity=quantity, quantity_shipped=shipped, quantity_cancelled=cancelled)
        for quantity, shipped, cancelled in lines
    ]

    assert fulfilment_state(items) is state
