"""What cancelling an order would do: the one plan that is both shown and carried out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from backoffice.errors import BackofficeError, RuleViolationError, TransitionError
from backoffice.models import Order, OrderItem, OrderStatus, Payment
from backoffice.models.states import require_transition
from backoffice.services.amounts import NOTHING
from backoffice.services.refund_lines import LineState, line_states, remaining_shipping
from backoffice.services.refund_requests import Part, Parts

SHIPPED_IN_PART = "Part of this order has left already. Refund what is not to be paid for instead."


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Units that come back to the stock, and what goes back to which payment.

    `refused` is why it cannot be, where it cannot.
    """

    refused: BackofficeError | None
    give_back: tuple[tuple[OrderItem, int], ...] = ()
    refunds: tuple[tuple[Payment, Parts], ...] = ()

    @property
    def refund_amount(self) -> Decimal:
        """All the money that goes back."""
        return sum((parts.amount for _payment, parts in self.refunds), NOTHING)


def plan_cancellation(session: Session, order: Order) -> Cancellation:
    """Return what cancelling an order does; reads only."""
    if refused := _refused(order):
        return Cancellation(refused)
    states = line_states(session, order)
    held = ((state.item, state.held_quantity) for state in states.values())
    return Cancellation(
        None,
        tuple((item, units) for item, units in held if units),
        tuple(_refunds(order, list(states.values()), remaining_shipping(session, order))),
    )


def _refused(order: Order) -> BackofficeError | None:
    try:
        require_transition(order.status, OrderStatus.CANCELLED)
    except TransitionError as error:
        return error
    if any(item.quantity_shipped for item in order.items):
        return RuleViolationError(SHIPPED_IN_PART)
    return None


def _refunds(
    order: Order, states: list[LineState], shipping: Decimal
) -> Iterator[tuple[Payment, Parts]]:
    """Give for each payment the parts of all that it still has, line after line.

    A line that one payment does not cover goes on with the next; its units go with its first part.
    Money beyond lines, tax and shipping belongs to no line.
    """
    left = [(state, state.remaining_amount, state.remaining_tax) for state in states]
    counted: set[int] = set()
    for payment in order.payments:
        money = payment.refundable_amount
        if money <= 0:
            continue
        parts: list[Part] = []
        rest = []
        for state, amount, tax in left:
            taken = min(amount, money)
            tax_taken = min(tax, money - taken)
            money -= taken + tax_taken
            units = 0 if state.item.id in counted else state.remaining_quantity
            if taken or tax_taken:
                counted.add(state.item.id)
                parts.append(Part(state.item, units, taken, tax_taken))
            rest.append((state, amount - taken, tax - tax_taken))
        left = rest
        shipped = min(shipping, money)
        shipping -= shipped
        if money > shipped:
            parts.append(Part(None, 0, money - shipped))
        yield payment, Parts(tuple(parts), shipped)
