"""Placing an order sells stock, once, at the present prices, or leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import BackofficeError, InsufficientStockError, PermissionDeniedError
from backoffice.models import (
    ChangeSet,
    MovementKind,
    Order,
    OrderEvent,
    OrderItem,
    OrderStatus,
    StockMovement,
)
from backoffice.services.carts import Buyer, CartLine
from tests.db.services.shopping import SHOP, place, stocked
from tests.factories import count, make_category, make_profile, make_user


def nothing_was_written(session: Session) -> None:
    assert [count(session, model) for model in (Order, OrderItem, OrderEvent, ChangeSet)] == [0] * 4
    assert {row.kind for row in session.scalars(sa.select(StockMovement))} <= {MovementKind.RECEIVE}


def test_an_order_keeps_a_snapshot_of_what_was_sold(session: Session, shell: Actor) -> None:
    lamps = make_category(session, "Lamps", make_category(session, "Home"))
    lamp = stocked(
        session, sku="LAMP-1", name="Lamp", price=Decimal("3.3333"), unit_cost=Decimal("1.5"),
        category_id=lamps.id,
    )  # fmt: skip
    customer = make_user(session, username="ada", email="ada@example.com")
    make_profile(session, customer, full_name="Ada Lovelace", country="Norway")

    placed = place(
        shell, (lamp, 2), (lamp, 1), buyer=Buyer(customer.id, address=" 1 High Street "),
        shipping_amount=Decimal(5), tax_rate=Decimal("0.2"),
    )  # fmt: skip

    order = session.get_one(Order, placed.order_id)
    assert (order.number, order.status, order.currency) == (
        placed.number, OrderStatus.PENDING, "USD",
    )  # fmt: skip
    assert int(order.number) > 1_000_000
    assert (order.email, order.customer_name, order.address, order.country) == (
        "ada@example.com", "Ada Lovelace", "1 High Street", "Norway",
    )  # fmt: skip
    assert order.placed_on == order.placed_at.astimezone(SHOP.zone).date()
    (line,) = order.items
    assert (line.quantity, line.unit_price, line.line_total) == (3, Decimal("3.3333"), Decimal(10))
    assert (line.sku, line.product_name, line.unit_cost) == ("LAMP-1", "Lamp", Decimal("1.5"))
    assert (line.category_id, line.category_path) == (lamps.id, "Home / Lamps")
    assert (line.tax_amount, line.tax_rate) == (Decimal(2), Decimal("0.2"))
    assert (order.subtotal_amount, order.tax_amount) == (Decimal(10), Decimal(2))
    assert order.total_amount == Decimal(17)


def test_an_order_takes_its_stock_and_tells_its_past(session: Session, shell: Actor) -> None:
    first, second = stocked(session, 10, sku="A"), stocked(session, 2, sku="B")
    customer = make_user(session, username="ada")

    placed = place(shell, (second, 2), (first, 3), buyer=Buyer(customer_id=customer.id))

    assert (first.stock, second.stock) == (7, 0)
    sales = session.scalars(
        sa.select(StockMovement).where(StockMovement.kind == MovementKind.SALE)
    ).all()
    assert {(row.product_id, row.delta, row.balance_after) for row in sales} == {
        (first.id, -3, 7),
        (second.id, -2, 0),
    }
    assert all(row.order_item and row.order_item.product_id == row.product_id for row in sales)
    event = session.scalars(sa.select(OrderEvent)).one()
    assert (event.kind, event.from_status, event.to_status) == ("placed", None, "pending")
    change_set = session.scalars(sa.select(ChangeSet)).one()
    assert (change_set.action, change_set.record_id) == ("order.place", placed.order_id)
    assert change_set.record_label == placed.number
    assert change_set.details == {
        "lines": ["3 × A", "2 × B"],
        "keys": {"user": [None, customer.id]},
    }
    told = {change.field: change.new_value for change in change_set.changes}
    assert (told["user"], told["status"], told["total_amount"]) == ("ada", "pending", "50.00")


def test_a_discount_is_spread_over_the_lines_to_the_cent(session: Session, shell: Actor) -> None:
    lines = [(stocked(session, price=Decimal(1)), 1) for _ in range(3)]

    placed = place(shell, *lines, discount_amount=Decimal(1))

    order = session.get_one(Order, placed.order_id)
    assert [line.discount_amount for line in order.items] == [
        Decimal("0.34"), Decimal("0.33"), Decimal("0.33"),
    ]  # fmt: skip
    assert (order.subtotal_amount, order.total_amount) == (Decimal(3), Decimal(2))


def test_an_order_that_costs_nothing_is_paid_at_once(session: Session, shell: Actor) -> None:
    placed = place(shell, (stocked(session, price=Decimal(5)), 1), discount_amount=Decimal(5))

    order = session.get_one(Order, placed.order_id)
    assert (order.status, order.paid_at, order.paid_on) == (
        OrderStatus.PAID, order.placed_at, order.placed_on,
    )  # fmt: skip
    assert [(event.kind, event.to_status) for event in order.events] == [
        ("placed", "pending"),
        ("status_changed", "paid"),
    ]


def test_the_same_key_makes_one_order(session: Session, shell: Actor) -> None:
    product = stocked(session, 2)
    first = place(shell, (product, 2), key="k1")

    again = place(shell, (product, 2), key="k1")

    assert (again.order_id, again.number, again.is_repeat) == (first.order_id, first.number, True)
    assert (first.is_repeat, product.stock, count(session, Order)) == (False, 0, 1)
    assert count(session, ChangeSet) == 1


def test_a_key_does_not_serve_two_different_orders(session: Session, shell: Actor) -> None:
    product = stocked(session)
    place(shell, (product, 2), key="k1")

    others: list[dict[str, Any]] = [
        {"lines": [CartLine(product.id, 3)]},
        {"buyer": Buyer(make_user(session).id)},
        {"buyer": Buyer(email="other@example.com")},
        {"discount_amount": Decimal(1)},
        {"shipping_amount": Decimal(1)},
    ]
    for other in others:
        with pytest.raises(BackofficeError, match="This form has made another order already"):
            place(shell, (product, 2), key="k1", **other)

    assert (product.stock, count(session, Order), count(session, ChangeSet)) == (8, 1, 1)


def test_what_cannot_be_delivered_is_left_out_when_asked(session: Session, shell: Actor) -> None:
    good, scarce = stocked(session, sku="A"), stocked(session, 1, sku="B", name="Bowl")
    gone = stocked(session, sku="C", name="Cup", is_available=False)
    cart = [CartLine(product.id, 2) for product in (gone, scarce, good)] + [CartLine(10**6, 1)]

    placed = place(shell, lines=cart, key="k1", skip_unavailable=True)

    assert [(each.product_id, each.quantity, each.reason) for each in placed.skipped] == [
        (scarce.id, 2, "Only 1 of B Bowl are left."),
        (gone.id, 2, "C Cup is not sold any more."),
        (10**6, 1, "There is no such product."),
    ]
    order = session.get_one(Order, placed.order_id)
    assert [(line.sku, line.quantity) for line in order.items] == [("A", 2)]
    assert (good.stock, scarce.stock, gone.stock) == (8, 1, 10)
    assert place(shell, lines=cart, key="k1", skip_unavailable=True).is_repeat


def test_an_order_of_nothing_but_what_is_gone_is_refused(session: Session, shell: Actor) -> None:
    gone = stocked(session, 0, sku="A", name="Arc")

    with pytest.raises(
        BackofficeError, match=r"None of this can be delivered. A Arc is sold out\."
    ):
        place(shell, (gone, 1), skip_unavailable=True)

    nothing_was_written(session)


def test_without_the_permission_nothing_is_sold(
    session: Session, actor_of: Callable[[Role], Actor]
) -> None:
    product = stocked(session)

    with pytest.raises(PermissionDeniedError):
        place(actor_of(Role.ANALYST), (product, 1))

    nothing_was_written(session)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"lines": []}, "lines", "Put at least one product into the order."),
        ({"quantity": 0}, "lines.ID.quantity", "Order one unit at least."),
        ({"quantity": -1}, "lines.ID.quantity", "Order one unit at least."),
        ({"quantity": 1_000_001}, "lines.ID.quantity", "Order 1,000,000 units at most."),
        ({"quantity": 4}, "lines.ID.quantity", "Only 3 of LAMP-1 Lamp are left."),
        ({"lines": [CartLine(10**12, 1)]}, f"lines.{10**12}.product", "There is no such product."),
        ({"buyer": Buyer()}, "email", "Choose a customer, or write an e-mail address."),
        ({"buyer": Buyer(customer_id=10**12)}, "customer", "There is no such customer."),
        ({"currency": "EUR"}, "currency", "This is in USD; write the amount in it."),
        ({"key": " "}, "key", "The form lacks its key."),
        ({"shipping_amount": Decimal("1.001")}, "shipping_amount",
         "Write the amount with two decimals at most."),
        ({"shipping_amount": Decimal(-1)}, "shipping_amount", "An amount cannot be negative."),
        ({"shipping_amount": Decimal("NaN")}, "shipping_amount", "This amount is too large."),
        ({"discount_amount": Decimal("10.01")}, "discount_amount",
         "The discount is more than the goods cost."),
        ({"tax_rate": Decimal(20)}, "tax_rate",
         "Write the tax rate as a share, such as 0.2 for 20 %."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_at_its_field(
    session: Session, shell: Actor, values: dict[str, Any], field: str, sentence: str
) -> None:
    product = stocked(session, 3, sku="LAMP-1", name="Lamp")
    values = dict(values)

    with pytest.raises(BackofficeError) as refusal:
        place(shell, (product, values.pop("quantity", 1)), **values)

    assert str(refusal.value) == sentence
    assert refusal.value.field == field.replace("ID", str(product.id))
    assert product.stock == 3
    nothing_was_written(session)


def test_a_discount_does_not_hide_goods_that_are_too_dear(session: Session, shell: Actor) -> None:
    product = stocked(session, 1000, price=Decimal(1_800_000_000))
    discount = Decimal("999999999999.99")

    with pytest.raises(BackofficeError, match=r"^The order's total is too large\.$"):
        place(shell, (product, 1000), discount_amount=discount)

    assert product.stock == 1000
    nothing_was_written(session)


def test_one_line_too_many_takes_no_stock_of_the_others(session: Session, shell: Actor) -> None:
    plenty, scarce = stocked(session, 10), stocked(session, 1)

    with pytest.raises(InsufficientStockError):
        place(shell, (plenty, 2), (scarce, 2))

    assert (plenty.stock, scarce.stock) == (10, 1)
    nothing_was_written(session)


def test_two_lines_of_a_product_are_checked_against_its_stock_together(
    session: Session, shell: Actor
) -> None:
    product = stocked(session, 3)

    with pytest.raises(InsufficientStockError):
        place(shell, (product, 2), (product, 2))

    nothing_was_written(session)


def test_who_may_not_buy_is_refused(session: Session, shell: Actor) -> None:
    product = stocked(session)
    left, staff = (
        make_user(session, username="left", is_active=False),
        make_user(session, Role.ADMIN),
    )

    with pytest.raises(BackofficeError, match="The account of left is deactivated"):
        place(shell, (product, 1), buyer=Buyer(left.id))
    with pytest.raises(BackofficeError, match="There is no such customer"):
        place(shell, (product, 1), buyer=Buyer(staff.id))

    nothing_was_written(session)


def test_a_product_that_was_withdrawn_is_refused(session: Session, shell: Actor) -> None:
    product = stocked(session, sku="LAMP-1", name="Lamp", is_available=False)

    with pytest.raises(BackofficeError, match=r"^LAMP-1 Lamp is not sold any more\.$"):
        place(shell, (product, 1))

    nothing_was_written(session)
