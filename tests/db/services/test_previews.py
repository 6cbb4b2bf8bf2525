"""A preview tells beforehand what an action does, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import PermissionDeniedError
from backoffice.models import ChangeSet, Refund, StockMovement
from backoffice.services.orders import cancel_order, ship_order
from backoffice.services.previews import preview_cancel, preview_refund
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import request_refund
from tests.db.services.shopping import SHOP, paid_order, shipped_order, stocked
from tests.factories import count


def test_the_preview_of_a_cancellation_is_what_it_does(session: Session, shell: Actor) -> None:
    lamp, bowl = stocked(session), stocked(session, price=Decimal(5))
    order = paid_order(session, shell, (lamp, 2), (bowl, 1), shipping_amount=Decimal(4))
    before = (count(session, ChangeSet), count(session, StockMovement), order.version)

    preview = preview_cancel(session, shell, order, SHOP)

    assert preview.refused is None
    assert [(item.product_id, units) for item, units in preview.give_back] == [
        (lamp.id, 2),
        (bowl.id, 1),
    ]
    assert preview.refund_amount == Decimal(29)
    ((payment, parts),) = preview.refunds
    assert (payment, parts.amount, parts.shipping_amount) == (
        order.payments[0], Decimal(29), Decimal(4),
    )  # fmt: skip
    assert (count(session, ChangeSet), count(session, StockMovement), order.version) == before
    cancel_order(shell, order.id, reason="x", shop=SHOP)
    refund = session.scalars(sa.select(Refund)).one()
    assert refund.amount == Decimal(29)
    assert (lamp.stock, bowl.stock) == (10, 10)


def test_the_preview_tells_why_an_order_is_not_cancelled(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    shipped = shipped_order(session, shell, (stocked(session), 1))
    dear = paid_order(session, shell, (stocked(session, price=Decimal(201)), 1))

    assert preview_cancel(session, shell, shipped, SHOP).refused == (
        "The order is shipped and cannot become cancelled. Refund it instead."
    )
    assert preview_cancel(session, actor_of(Role.SUPPORT), dear, SHOP).refused == (
        "This gives back more money than you may. Ask a manager."
    )
    assert preview_cancel(session, actor_of(Role.MANAGER), dear, SHOP).refused is None
    with pytest.raises(PermissionDeniedError):
        preview_cancel(session, actor_of(Role.ANALYST), dear, SHOP)


def test_the_preview_of_a_refund_tells_what_is_left_of_each_line(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    lamp, bowl = stocked(session, price=Decimal(50)), stocked(session, price=Decimal(30))
    order = paid_order(session, shell, (lamp, 4), (bowl, 1), shipping_amount=Decimal(6))
    line = order.items[0]
    ship_order(shell, order.id, quantities={line.id: 3})
    request_refund(
        shell, order.id, lines=[RefundLine(line.id, 2, restock_quantity=1)],
        shipping_amount=Decimal(2), reason="x", key="k", shop=SHOP,
    )  # fmt: skip

    preview = preview_refund(session, shell, order, SHOP)

    first, second = preview.lines
    assert (first.item.quantity, first.item.quantity_shipped) == (4, 3)
    assert (first.refunded_quantity, first.remaining_quantity) == (2, 2)
    assert (first.restockable_quantity, first.unshipped_quantity) == (3, 0)
    assert (first.remaining_amount, first.amount_of(1)) == (Decimal(100), Decimal(50))
    assert (second.remaining_quantity, second.restockable_quantity) == (1, 1)
    assert preview.shipping_amount == Decimal(4)
    assert preview.payments == order.payments
    assert preview.refundable_amount == preview.allowed_amount == Decimal(134)
    assert [preview.prefilled(each) for each in preview.lines] == [Decimal(100), Decimal(30)]
    support = preview_refund(session, actor_of(Role.SUPPORT), order, SHOP)
    assert support.allowed_amount == Decimal(98)


def test_the_prefilled_amount_is_no_more_than_there_is(session: Session, shell: Actor) -> None:
    order = paid_order(session, shell, (stocked(session, price=Decimal(50)), 2))
    request_refund(shell, order.id, other_amount=Decimal(30), reason="Late", key="k", shop=SHOP)

    preview = preview_refund(session, shell, order, SHOP)

    assert [preview.prefilled(each) for each in preview.lines] == [Decimal(70)]
