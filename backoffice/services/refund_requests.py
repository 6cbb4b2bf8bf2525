"""What a refund is asked to be: its lines, priced and within what is left of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from backoffice.errors import (
    AmountTooLargeError,
    InputError,
    NotFoundError,
    RuleViolationError,
)
from backoffice.models import Order, OrderItem, Payment
from backoffice.services.amounts import NOTHING, clean_amount
from backoffice.services.refund_lines import LineState


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What of one line goes back; `amount` is without tax, None for what the units are worth.

    Quantity 0 gives money only. `restock_quantity` of the units go back into the stock.
    """

    item_id: int
    quantity: int
    restock_quantity: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What of a refund is for one line, or for no line."""

    item: OrderItem | None
    quantity: int
    amount: Decimal
    tax_amount: Decimal = NOTHING
    restock_quantity: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a refund is made of."""

    lines: tuple[Part, ...]
    shipping_amount: Decimal = NOTHING

    @property
    def tax_amount(self) -> Decimal:
        """The tax of all lines."""
        return sum((part.tax_amount for part in self.lines), NOTHING)

    @property
    def amount(self) -> Decimal:
        """All that goes back."""
        return sum((part.amount for part in self.lines), self.shipping_amount) + self.tax_amount


def price_lines(states: Mapping[int, LineState], lines: Sequence[RefundLine]) -> list[Part]:
    """Return the parts of a refund; raise with the field to blame what is more than there is."""
    if len({line.item_id for line in lines}) < len(lines):
        raise InputError("Name each line once.", field="lines")
    return [_price(states.get(line.item_id), line) for line in lines]


def _price(state: LineState | None, line: RefundLine) -> Part:
    field = f"lines.{line.item_id}"
    if state is None:
        raise NotFoundError("This order has no such line.", field=field)
    name = state.item.sku
    _require_units(
        line.quantity, state.remaining_quantity, f"{field}.quantity", f"of {name} can be refunded"
    )
    _require_units(
        line.restock_quantity,
        min(line.quantity, state.restockable_quantity),
        f"{field}.restock_quantity",
        f"of {name} can be put back",
    )
    if line.amount is None:
        amount = state.amount_of(line.quantity)
    else:
        amount = clean_amount(line.amount, f"{field}.amount")
    if amount > state.remaining_amount:
        raise AmountTooLargeError(
            f"Only {state.remaining_amount} of {name} can be refunded.", field=f"{field}.amount"
        )
    if not line.quantity and not amount:
        raise InputError(f"Write how much of {name} is refunded.", field=f"{field}.quantity")
    return Part(state.item, line.quantity, amount, state.tax_of(amount), line.restock_quantity)


def _require_units(given: int, most: int, field: str, what: str) -> None:
    if given < 0:
        raise InputError("A quantity cannot be negative.", field=field)
    if given > most:
        raise RuleViolationError(f"Only {most} {what}.", field=field)


def choose_payment(order: Order, payment_id: int | None, amount: Decimal) -> Payment:
    """Return the payment that the amount goes back to; raise where none can give so much.

    Without an id it is the first one that can give all of it.
    """
    payments = [each for each in order.payments if payment_id in (None, each.id)]
    if not payments and payment_id is not None:
        raise NotFoundError("This order has no such payment.", field="payment")
    for payment in payments:
        if payment.refundable_amount >= amount:
            return payment
    most = max((each.refundable_amount for each in payments), default=NOTHING)
    several = len([each for each in payments if each.refundable_amount > 0]) > 1
    of = "one payment" if several or payment_id is not None else "this order"
    raise AmountTooLargeError(
        f"Only {most} {order.currency} of {of} can be refunded.", field="amount"
    )
