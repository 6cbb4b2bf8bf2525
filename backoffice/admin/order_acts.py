"""What can be done with an order now, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backoffice.access import Actor, Permission
from backoffice.models import Order, OrderStatus
from backoffice.models.states import can_become


@dataclass(frozen=True, slots=True)
class Act:
    """A step of an order; one that `asks` has a form, the others are done by their button."""

    name: str
    label: str
    permission: Permission
    is_open: Callable[[Order], bool]
    asks: bool = True
    look: str = "secondary"

    def is_for(self, actor: Actor, order: Order) -> bool:
        """Whether this person may do it, and the order is where it can be done."""
        return actor.can(self.permission) and self.is_open(order)


def left_to_ship(order: Order) -> dict[int, int]:
    """Return the units that have neither left nor been cancelled, by the ids of their lines."""
    left = {
        item.id: item.quantity - item.quantity_shipped - item.quantity_cancelled
        for item in order.items
    }
    return {key: units for key, units in left.items() if units}


def _leads_to(target: OrderStatus) -> Callable[[Order], bool]:
    return lambda order: can_become(order.status, target)


def _can_ship(order: Order) -> bool:
    return can_become(order.status, OrderStatus.SHIPPED) and bool(left_to_ship(order))


def _can_cancel(order: Order) -> bool:
    has_left = any(item.quantity_shipped for item in order.items)
    return can_become(order.status, OrderStatus.CANCELLED) and not has_left


def _can_refund(order: Order) -> bool:
    return any(payment.refundable_amount > 0 for payment in order.payments)


P = Permission
ACTS = {
    act.name: act
    for act in (
        Act("capture", "Book a payment", P.ORDER_CAPTURE, _leads_to(OrderStatus.PAID)),
        Act("ship", "Ship", P.ORDER_SHIP, _can_ship),
        Act("complete", "Complete", P.ORDER_SHIP, _leads_to(OrderStatus.COMPLETED), asks=False),
        Act(
            "process", "Start packing", P.ORDER_SHIP, _leads_to(OrderStatus.PROCESSING), asks=False
        ),
        Act("refund", "Refund", P.ORDER_REFUND, _can_refund),
        Act("cancel", "Cancel order", P.ORDER_CANCEL, _can_cancel, look="danger"),
    )
}


def acts_of(actor: Actor, order: Order) -> list[Act]:
    """Return what this person can do with the order, the next step first."""
    return [act for act in ACTS.values() if act.is_for(actor, order)]
