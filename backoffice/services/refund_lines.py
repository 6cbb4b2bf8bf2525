"""What of an order can still be given back: units, money and goods, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, OrderItem, Refund, RefundItem, RefundStatus, StockMovement
from backoffice.services.amounts import NOTHING, share_of_amount, share_of_units

_COUNTS = Refund.status != RefundStatus.FAILED


@dataclass(frozen=True, slots=True)
class LineState:
    """A line with what refunds hold of it, sent or on their way, and what the ledger tells.

    Units that were `sold` left the stock for it; units that were `returned` came back to it.
    """

    item: OrderItem
    refunded_quantity: int
    refunded_amount: Decimal
    refunded_tax: Decimal
    sold: int
    returned: int

    @property
    def unshipped_quantity(self) -> int:
        """Units that have neither left nor been cancelled."""
        return self.item.quantity - self.item.quantity_shipped - self.item.quantity_cancelled

    @property
    def remaining_quantity(self) -> int:
        """Units whose money can still be given back."""
        return self.item.quantity - self.refunded_quantity

    @property
    def remaining_amount(self) -> Decimal:
        """What can still be given back, without tax."""
        return max(NOTHING, self.item.line_total - self.refunded_amount)

    @property
    def remaining_tax(self) -> Decimal:
        """What tax can still be given back."""
        return max(NOTHING, self.item.tax_amount - self.refunded_tax)

    @property
    def restockable_quantity(self) -> int:
        """Units that can still be put back into the stock."""
        return self.item.quantity - max(self.item.quantity_cancelled, self.returned)

    @property
    def held_quantity(self) -> int:
        """Unshipped units that the ledger shows were taken for this line: a cancellation's."""
        return max(0, min(self.unshipped_quantity, self.sold - self.returned))

    def amount_of(self, quantity: int) -> Decimal:
        """Return what so many of the remaining units are worth, without tax."""
        return share_of_units(
            self.item.line_total,
            quantity,
            of=self.item.quantity,
            before=self.refunded_quantity,
            given=self.refunded_amount,
        )

    def tax_of(self, amount: Decimal) -> Decimal:
        """Return the tax that goes back with an amount of this line."""
        return share_of_amount(
            self.item.tax_amount,
            amount,
            of=self.item.line_total,
            before=self.refunded_amount,
            given=self.refunded_tax,
        )


def line_states(session: Session, order: Order) -> dict[int, LineState]:
    """Return the state of each line by its id, in two statements beside the lines themselves."""
    refunded = {row.order_item_id: row for row in session.execute(_refunded(order.id))}
    moved = {row.line_id: row for row in session.execute(_moved(order.id))}
    states = {}
    for item in order.items:
        money, goods = refunded.get(item.id), moved.get(item.id)
        states[item.id] = LineState(
            item=item,
            refunded_quantity=money.quantity if money else 0,
            refunded_amount=money.amount if money else NOTHING,
            refunded_tax=money.tax_amount if money else NOTHING,
            sold=goods.sold if goods else 0,
            returned=goods.returned if goods else 0,
        )
    return states


def remaining_shipping(session: Session, order: Order) -> Decimal:
    """Return what of the shipping can still be given back."""
    given = session.scalar(
        sa.select(sa.func.sum(Refund.shipping_amount)).where(Refund.order_id == order.id, _COUNTS)
    )
    return max(NOTHING, order.shipping_amount - (given or NOTHING))


def refunded_in_all(session: Session, order: Order) -> Decimal:
    """Return what all refunds of an order hold, sent or on their way."""
    statement = sa.select(sa.func.sum(Refund.amount)).where(Refund.order_id == order.id, _COUNTS)
    return session.scalar(statement) or NOTHING


def _refunded(order_id: int) -> sa.Select[int | None, int, Decimal, Decimal]:
    return (
        sa.select(
            RefundItem.order_item_id,
            sa.func.sum(RefundItem.quantity).label("quantity"),
            sa.func.sum(RefundItem.amount).label("amount"),
            sa.func.sum(RefundItem.tax_amount).label("tax_amount"),
        )
        .join(Refund, Refund.id == RefundItem.refund_id)
        .where(Refund.order_id == order_id, _COUNTS, RefundItem.order_item_id.is_not(None))
        .group_by(RefundItem.order_item_id)
    )


def _moved(order_id: int) -> sa.Select[int | None, int, int]:
    lines = sa.select(OrderItem.id).where(OrderItem.order_id == order_id)
    returned = (
        sa.select(RefundItem.order_item_id, StockMovement.delta)
        .join(RefundItem, RefundItem.id == StockMovement.refund_item_id)
        .where(RefundItem.order_item_id.in_(lines))
    )
    direct = sa.select(StockMovement.order_item_id, StockMovement.delta).where(
        StockMovement.order_item_id.in_(lines)
    )
    moves = sa.union_all(direct, returned).subquery()
    line, delta = moves.c
    return sa.select(
        line.label("line_id"),
        sa.func.sum(sa.case((delta < 0, -delta), else_=0)).label("sold"),
        sa.func.sum(sa.case((delta > 0, delta), else_=0)).label("returned"),
    ).group_by(line)
