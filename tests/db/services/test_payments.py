"""Money comes in for pending orders, never more than is due, and each payment once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import BackofficeError, PermissionDeniedError
from backoffice.models import ChangeSet, Order, OrderStatus, Payment, PaymentStatus
from tests.db.services.shopping import capture, paid_order, pending_order, stocked, timeline
from tests.factories import count, make_payment


@pytest.fixture
def order(session: Session, shell: Actor) -> Order:
    """A pending order of 30.00."""
    return pending_order(session, shell, (stocked(session), 3))


def nothing_was_booked(session: Session, order: Order) -> None:
    assert (order.status, order.version, order.paid_at) == (OrderStatus.PENDING, 1, None)
    assert count(session, ChangeSet) == 1
    assert timeline(session, order) == [("placed", None, "pending")]


def test_an_order_is_paid_once_all_its_money_is_there(
    session: Session, shell: Actor, order: Order
) -> None:
    first = capture(shell, order, 10)
    assert (order.status, first.status) == (OrderStatus.PENDING, PaymentStatus.CAPTURED)
    capture(shell, order, 20)

    assert (order.status, order.version) == (OrderStatus.PAID, 3)
    assert order.paid_at is not None
    assert order.paid_at >= order.placed_at
    assert timeline(session, order)[1:] == [
        ("payment_captured", None, None),
        ("payment_captured", "pending", "paid"),
    ]
    sets = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id)).all()
    assert [each.action for each in sets] == ["order.place", "order.capture", "order.capture"]
    told = {change.field: (change.old_value, change.new_value) for change in sets[2].changes}
    assert told["status"] == ("pending", "paid")
    assert told["payment.captured_amount"] == (None, "20.00")


def test_a_payment_that_waits_is_captured(session: Session, shell: Actor, order: Order) -> None:
    waiting = make_payment(session, order, Decimal(0), provider="bank", provider_ref="7")

    assert capture(shell, order, 30, provider="bank", reference="7").id == waiting.id

    assert (waiting.status, waiting.captured_amount) == (PaymentStatus.CAPTURED, Decimal(30))
    assert order.status is OrderStatus.PAID
    assert count(session, Payment) == 1


def test_the_same_payment_again_changes_nothing(
    session: Session, shell: Actor, order: Order
) -> None:
    first = capture(shell, order, 30, reference="7", expected_version=1)
    sets, version = count(session, ChangeSet), order.version

    again = capture(shell, order, 30, reference="7", expected_version=1)

    assert again.id == first.id
    assert (count(session, Payment), count(session, ChangeSet), order.version) == (1, sets, version)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"amount": 0}, "amount", "Write an amount above zero."),
        ({"amount": -1}, "amount", "An amount cannot be negative."),
        ({"amount": "10.001"}, "amount", "Write the amount with two decimals at most."),
        ({"amount": "30.01"}, "amount", "Only 30.00 USD are due."),
        ({"amount": "Infinity"}, "amount", "This amount is too large."),
        ({"currency": "EUR"}, "currency", "This is in USD; write the amount in it."),
        ({"provider": " "}, "provider", "Fill this in."),
        ({"reference": "7" * 101}, "reference", "Use 100 characters at most."),
        ({"expected_version": 9}, None,
         "This order has changed since you opened it. Look at it again, then decide."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_at_its_field(
    session: Session,
    shell: Actor,
    order: Order,
    values: dict[str, Any],
    field: str | None,
    sentence: str,
) -> None:
    values = {"amount": 10} | values

    with pytest.raises(BackofficeError) as refusal:
        capture(shell, order, **values)

    assert (str(refusal.value), refusal.value.field) == (sentence, field)
    nothing_was_booked(session, order)
    assert count(session, Payment) == 0


def test_more_than_a_waiting_payment_is_refused(
    session: Session, shell: Actor, order: Order
) -> None:
    make_payment(session, order, Decimal(0), provider="card", provider_ref="7", amount=Decimal(20))

    with pytest.raises(BackofficeError, match=r"^This payment is of 20\.00 USD only\.$"):
        capture(shell, order, 30, reference="7")

    nothing_was_booked(session, order)


def test_a_payment_that_failed_stays_failed(session: Session, shell: Actor, order: Order) -> None:
    make_payment(session, order, Decimal(0), provider_ref="7", status=PaymentStatus.FAILED)

    with pytest.raises(BackofficeError, match="The payment is failed and cannot become captured"):
        capture(shell, order, 30, reference="7")

    nothing_was_booked(session, order)


def test_the_reference_of_another_order_is_refused(
    session: Session, shell: Actor, order: Order
) -> None:
    other = pending_order(session, shell, (stocked(session), 1))
    capture(shell, other, 10, reference="7")

    with pytest.raises(BackofficeError, match="This reference belongs to another payment") as error:
        capture(shell, order, 10, reference="7")

    assert error.value.field == "reference"
    assert (order.version, count(session, Payment)) == (1, 1)


def test_nothing_is_captured_for_an_order_that_awaits_no_money(
    session: Session, shell: Actor
) -> None:
    order = paid_order(session, shell, (stocked(session), 1))

    with pytest.raises(BackofficeError, match=r"^The order is paid already\.$"):
        capture(shell, order, 1)

    assert count(session, Payment) == 1


def test_an_unknown_order_and_a_role_without_the_permission_are_refused(
    session: Session, shell: Actor, order: Order, actor_of: Callable[[Role], Actor]
) -> None:
    with pytest.raises(PermissionDeniedError):
        capture(actor_of(Role.ANALYST), order, 30)
    with pytest.raises(BackofficeError, match=r"^There is no such order\.$"):
        capture(shell, Order(id=10**9), 30)

    nothing_was_booked(session, order)
