"""A refund reserves money first; its goods are another matter; nothing goes back twice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import (
    AmountTooLargeError,
    BackofficeError,
    PermissionDeniedError,
    StaleRecordError,
    TransitionError,
)
from backoffice.models import (
    ChangeSet,
    Order,
    OrderEvent,
    OrderStatus,
    Payment,
    Refund,
    RefundStatus,
    StockMovement,
)
from backoffice.services.orders import ship_order
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import fail_refund, request_refund, settle_refund
from tests.db.services.shopping import (
    SHOP,
    capture,
    ledger,
    paid_order,
    pending_order,
    shipped_order,
    stocked,
    timeline,
)
from tests.factories import count


def refund(actor: Actor, order: Order, *lines: RefundLine, **values: Any) -> Refund:
    defaults: dict[str, Any] = {"lines": lines, "reason": "Damaged", "shop": SHOP}
    defaults["key"] = f"refund-{order.version}"
    return request_refund(actor, order.id, **(defaults | values))


def money(payment: Payment) -> tuple[Decimal, Decimal]:
    return payment.refund_pending_amount, payment.refunded_amount


@pytest.fixture
def order(session: Session, shell: Actor) -> Order:
    """A shipped order of three lamps at 10.00, 4.00 of shipping and 20 % tax: 40.00."""
    lamp = stocked(session, sku="LAMP")
    return shipped_order(
        session, shell, (lamp, 3), shipping_amount=Decimal(4), tax_rate=Decimal("0.2")
    )


def nothing_was_refunded(session: Session, order: Order) -> None:
    session.expire_all()
    assert (count(session, Refund), order.version) == (0, 3)
    assert [money(payment) for payment in order.payments] == [(Decimal(0), Decimal(0))]
    assert (count(session, ChangeSet), count(session, OrderEvent)) == (3, 4)
    assert count(session, StockMovement) == 2


def test_a_refund_reserves_the_money_until_it_has_gone(
    session: Session, shell: Actor, order: Order
) -> None:
    (line,), (payment,) = order.items, order.payments

    made = refund(shell, order, RefundLine(line.id, 1), note="Photo in the mail")

    assert (made.number, made.status, made.amount) == ("R100001", "pending", Decimal(12))
    assert (made.tax_amount, made.shipping_amount) == (Decimal(2), Decimal(0))
    assert (made.currency, made.user_id, made.country) == ("USD", order.user_id, order.country)
    assert money(payment) == (Decimal(12), Decimal(0))
    assert (line.quantity_refunded, made.processed_at) == (0, None)

    settle_refund(shell, made.id, shop=SHOP)

    assert (made.status, money(payment)) == (RefundStatus.SUCCEEDED, (Decimal(0), Decimal(12)))
    assert made.processed_at is not None
    assert made.processed_on == made.processed_at.astimezone(SHOP.zone).date()
    assert line.quantity_refunded == 1
    assert timeline(session, order)[-2:] == [
        ("refund_requested", None, None),
        ("refund_succeeded", None, None),
    ]
    sets = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id)).all()[-2:]
    assert [(each.action, each.record_id) for each in sets] == [
        ("order.refund", order.id),
        ("order.settle_refund", order.id),
    ]
    assert sets[0].reason == "Damaged"
    assert sets[0].details == {"refund": "R100001", "amount": "12.00", "currency": "USD"}
    told = {change.field: (change.old_value, change.new_value) for change in sets[1].changes}
    assert told == {
        "payment.refund_pending_amount": ("12.00", "0.00"),
        "payment.refunded_amount": ("0.00", "12.00"),
        "line 1.quantity_refunded": ("0", "1"),
    }


def test_a_refund_that_failed_frees_the_money_and_the_units(
    session: Session, shell: Actor, order: Order
) -> None:
    (line,), (payment,) = order.items, order.payments
    made = refund(shell, order, RefundLine(line.id, 3, restock_quantity=2))

    fail_refund(shell, made.id, reason="Card expired", shop=SHOP)

    assert (made.status, money(payment)) == (RefundStatus.FAILED, (Decimal(0), Decimal(0)))
    assert line.product.stock == 9
    assert timeline(session, order)[-1] == ("refund_failed", None, None)
    with pytest.raises(BackofficeError, match="Only 1 of LAMP can be put back"):
        refund(shell, order, RefundLine(line.id, 3, restock_quantity=2))
    assert refund(shell, order, RefundLine(line.id, 3)).amount == Decimal(36)


@pytest.mark.parametrize("step", [settle_refund, fail_refund])
def test_a_refund_that_is_done_stays_done(
    session: Session, shell: Actor, order: Order, step: Callable[..., Refund]
) -> None:
    made = refund(shell, order, RefundLine(order.items[0].id, 1))
    settle_refund(shell, made.id, shop=SHOP)
    sets = count(session, ChangeSet)
    values = {"reason": "x"} if step is fail_refund else {}

    with pytest.raises(TransitionError):
        step(shell, made.id, shop=SHOP, **values)
    with pytest.raises(BackofficeError, match="There is no such refund"):
        step(shell, 10**9, shop=SHOP, **values)

    assert money(order.payments[0]) == (Decimal(0), Decimal(12))
    assert (order.items[0].quantity_refunded, count(session, ChangeSet)) == (1, sets)


def test_parts_of_a_line_add_up_to_the_whole(session: Session, shell: Actor) -> None:
    product = stocked(session, price=Decimal("3.3333"))
    order = shipped_order(session, shell, (product, 3), tax_rate=Decimal("0.175"))
    (line,) = order.items
    assert (line.line_total, line.tax_amount) == (Decimal(10), Decimal("1.75"))

    parts = [refund(shell, order, RefundLine(line.id, 1)) for _ in range(3)]

    assert [part.items[0].amount for part in parts] == [
        Decimal("3.33"), Decimal("3.34"), Decimal("3.33"),
    ]  # fmt: skip
    assert [part.tax_amount for part in parts] == [
        Decimal("0.58"), Decimal("0.59"), Decimal("0.58"),
    ]  # fmt: skip
    assert order.payments[0].refundable_amount == 0


def test_an_amount_set_by_hand_does_not_raise_that_of_the_next_unit(
    session: Session, shell: Actor, order: Order
) -> None:
    (line,) = order.items
    refund(shell, order, RefundLine(line.id, 1, amount=Decimal(4)))

    assert refund(shell, order, RefundLine(line.id, 1)).items[0].amount == Decimal(10)


def test_goods_go_back_only_where_asked(session: Session, shell: Actor, order: Order) -> None:
    (line,) = order.items
    product = line.product

    refund(shell, order, RefundLine(line.id, 2))
    assert product.stock == 7
    made = refund(shell, order, RefundLine(line.id, 1, restock_quantity=1))

    assert ledger(session, product)[-1] == ("restock", 1, 8)
    assert made.items[0].restock_quantity == 1
    assert (order.status, line.quantity_cancelled) == (OrderStatus.SHIPPED, 0)
    assert [step[0] for step in timeline(session, order)][-2:] == ["refund_requested", "restocked"]


def test_units_that_have_not_left_are_cancelled_when_put_back(
    session: Session, shell: Actor
) -> None:
    product = stocked(session)
    order = paid_order(session, shell, (product, 3))
    (line,) = order.items
    ship_order(shell, order.id, quantities={line.id: 2})

    refund(shell, order, RefundLine(line.id, 1, restock_quantity=1))

    assert (line.quantity_shipped, line.quantity_cancelled, product.stock) == (2, 1, 8)
    assert order.status is OrderStatus.SHIPPED
    assert timeline(session, order)[-3:] == [
        ("restocked", None, None),
        ("item_cancelled", None, None),
        ("status_changed", "paid", "shipped"),
    ]


def test_money_for_no_unit_and_for_no_line(session: Session, shell: Actor, order: Order) -> None:
    (line,) = order.items

    made = refund(
        shell, order, RefundLine(line.id, 0, amount=Decimal(3)),
        shipping_amount=Decimal(4), other_amount=Decimal("0.50"),
    )  # fmt: skip

    assert [(item.order_item_id, item.quantity, item.amount) for item in made.items] == [
        (line.id, 0, Decimal(3)),
        (None, 0, Decimal("0.50")),
    ]
    assert (made.amount, made.tax_amount) == (Decimal("8.10"), Decimal("0.60"))


def test_the_same_key_makes_one_refund(session: Session, shell: Actor, order: Order) -> None:
    line = RefundLine(order.items[0].id, 1)
    first = refund(shell, order, line, key="k", expected_version=3)
    sets = count(session, ChangeSet)

    assert refund(shell, order, line, key="k", expected_version=3).id == first.id
    with pytest.raises(BackofficeError, match="This form has made another refund already"):
        refund(shell, order, RefundLine(order.items[0].id, 2), key="k")

    assert (count(session, Refund), count(session, ChangeSet)) == (1, sets)
    assert money(order.payments[0]) == (Decimal(12), Decimal(0))


def test_the_key_of_another_order_is_refused(session: Session, shell: Actor, order: Order) -> None:
    other = shipped_order(session, shell, (stocked(session), 1))
    refund(shell, other, RefundLine(other.items[0].id, 1), key="k")

    with pytest.raises(BackofficeError, match="This form has made another refund already"):
        refund(shell, order, RefundLine(order.items[0].id, 1), key="k")

    assert count(session, Refund) == 1


@pytest.mark.parametrize(
    ("line", "values", "field", "sentence"),
    [
        (None, {}, "lines", "Choose what is refunded."),
        ({"quantity": 4}, {}, "quantity", "Only 3 of LAMP can be refunded."),
        ({"quantity": -1}, {}, "quantity", "A quantity cannot be negative."),
        ({"quantity": 0}, {}, "quantity", "Write how much of LAMP is refunded."),
        ({"quantity": 1, "restock_quantity": 2}, {}, "restock_quantity",
         "Only 1 of LAMP can be put back."),
        ({"quantity": 1, "amount": Decimal("30.01")}, {}, "amount",
         "Only 30.00 of LAMP can be refunded."),
        ({"quantity": 1, "amount": Decimal("1.001")}, {}, "amount",
         "Write the amount with two decimals at most."),
        ({"item_id": 10**9, "quantity": 1}, {}, "", "This order has no such line."),
        (None, {"shipping_amount": Decimal("4.01")}, "shipping_amount",
         "Only 4.00 of the shipping can be refunded."),
        (None, {"other_amount": Decimal("40.01")}, "amount",
         "Only 40.00 USD of this order can be refunded."),
        (None, {"other_amount": Decimal(-1)}, "other_amount", "An amount cannot be negative."),
        (None, {"other_amount": Decimal(1), "reason": " "}, "reason", "Write why."),
        (None, {"other_amount": Decimal(1), "key": ""}, "key", "The form lacks its key."),
        (None, {"other_amount": Decimal(1), "currency": "EUR"}, "currency",
         "This is in USD; write the amount in it."),
        (None, {"other_amount": Decimal(1), "payment_id": 10**9}, "payment",
         "This order has no such payment."),
    ],
)  # fmt: skip
def test_what_cannot_be_refunded_is_refused_at_its_field(
    session: Session,
    shell: Actor,
    order: Order,
    line: dict[str, Any] | None,
    values: dict[str, Any],
    field: str,
    sentence: str,
) -> None:
    if line is not None:
        line = {"item_id": order.items[0].id} | line
        field = f"lines.{line['item_id']}.{field}".rstrip(".")
        values = values | {"lines": [RefundLine(**line)]}

    with pytest.raises(BackofficeError) as refusal:
        refund(shell, order, **values)

    assert (str(refusal.value), refusal.value.field) == (sentence, field)
    nothing_was_refunded(session, order)


def test_a_stale_page_a_wrong_role_and_an_unknown_order_are_refused(
    session: Session, shell: Actor, order: Order, actor_of: Callable[[Role], Actor]
) -> None:
    line = RefundLine(order.items[0].id, 1)

    with pytest.raises(StaleRecordError):
        refund(shell, order, line, expected_version=2)
    with pytest.raises(PermissionDeniedError):
        refund(actor_of(Role.ANALYST), order, line)
    with pytest.raises(BackofficeError, match=r"^There is no such order\.$"):
        request_refund(shell, 10**9, lines=[line], reason="x", key="k", shop=SHOP)

    nothing_was_refunded(session, order)


def test_an_order_that_was_not_paid_gives_nothing_back(session: Session, shell: Actor) -> None:
    order = pending_order(session, shell, (stocked(session), 1))

    with pytest.raises(AmountTooLargeError, match=r"^Only 0\.00 USD of this order"):
        refund(shell, order, RefundLine(order.items[0].id, 1))

    assert count(session, Refund) == 0


def test_one_refund_takes_from_one_payment(session: Session, shell: Actor) -> None:
    order = pending_order(session, shell, (stocked(session), 3))
    first, second = capture(shell, order, 10), capture(shell, order, 20)
    line = order.items[0].id

    with pytest.raises(AmountTooLargeError, match=r"^Only 20\.00 USD of one payment"):
        refund(shell, order, RefundLine(line, 3))
    made = refund(shell, order, RefundLine(line, 2))
    with pytest.raises(AmountTooLargeError, match=r"^Only 0\.00 USD of one payment"):
        refund(shell, order, RefundLine(line, 1), payment_id=second.id)

    with pytest.raises(BackofficeError, match="This form has made another refund already"):
        refund(shell, order, RefundLine(line, 2), key=made.idempotency_key, payment_id=first.id)

    assert made.payment_id == second.id
    assert refund(shell, order, RefundLine(line, 1)).payment_id == first.id


def test_refunds_of_an_order_above_the_limit_take_a_manager(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    order = shipped_order(session, shell, (stocked(session, price=Decimal(100)), 3))
    line = order.items[0].id
    support, manager = actor_of(Role.SUPPORT), actor_of(Role.MANAGER)
    refund(support, order, RefundLine(line, 2))

    with pytest.raises(PermissionDeniedError, match=r"^Refunds above 200 USD in all") as refusal:
        refund(support, order, RefundLine(line, 1, amount=Decimal("0.01")))

    assert refusal.value.field == "amount"
    assert count(session, Refund) == 1
    assert refund(manager, order, RefundLine(line, 1)).amount == Decimal(100)
