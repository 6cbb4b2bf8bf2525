"""The checks of the data: silent on a shop in order, and each of them finds its fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import (
    Category,
    MovementKind,
    Order,
    OrderEventKind,
    OrderItem,
    OrderStatus,
    Payment,
    Product,
    Refund,
    RefundItem,
    RefundStatus,
)
from backoffice.reports.quality import check as module
from backoffice.reports.quality.catalog import CHECKS, find_check
from backoffice.reports.quality.check import Check, Verdict, examine, examine_all
from backoffice.reports.runner import ReportRunner
from tests.factories import (
    make_category,
    make_order,
    make_order_event,
    make_payment,
    make_price_change,
    make_product,
    make_refund,
    move_stock,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
PRICE = Decimal(10)
Pair = tuple[Any, Any]
Plant = Callable[[Session], Pair | list[Pair]]
ENDLESS = Check(
    "endless",
    "Endless",
    "Stock",
    "products",
    "",
    "WITH RECURSIVE r (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r)"
    " SELECT max(id) AS id, 'x' AS label, 1 AS expected, 2 AS found FROM r",
)


def stocked(session: Session) -> Product:
    product = make_product(session, price=PRICE, unit_cost=Decimal(4))
    move_stock(session, product, 20)
    return product


def sold(session: Session, status: OrderStatus = OrderStatus.PENDING, **values: Any) -> OrderItem:
    """A line of two units, taken from the stock; sent when the order is that far."""
    product = stocked(session)
    order = make_order(session, (product, 2, PRICE), status=status, placed_at=NOON, **values)
    line = order.items[0]
    move_stock(session, product, -2, MovementKind.SALE, order_item=line)
    if status in (OrderStatus.SHIPPED, OrderStatus.COMPLETED):
        line.quantity_shipped = 2
    session.commit()
    return line


def paid(session: Session) -> Payment:
    return make_payment(session, sold(session, OrderStatus.COMPLETED).order)


def refunded(session: Session, **values: Any) -> Refund:
    payment = paid(session)
    return make_refund(session, payment, (payment.order.items[0], 1, PRICE), **values)


def change(session: Session, row: Any, **values: Any) -> None:
    """Change a row past the services, and past its version."""
    model = type(row)
    session.execute(sa.update(model).where(model.id == row.id).values(**values))
    session.commit()


def stock_past_the_ledger(session: Session) -> Pair:
    change(session, stocked(session), stock=17)
    return 20, 17


def balance_that_does_not_add_up(session: Session) -> Pair:
    product = stocked(session)
    move_stock(session, product, 5, balance_after=26)
    return 25, 26


def order_not_taken_from_stock(session: Session) -> Pair:
    make_order(session, (stocked(session), 2, PRICE), status=OrderStatus.PENDING)
    return 2, 0


def order_taken_twice(session: Session) -> Pair:
    line = sold(session)
    change(session, line, quantity_cancelled=1)
    return 1, 2


def units_left_in_a_closed_order(session: Session) -> Pair:
    line = sold(session, OrderStatus.COMPLETED)
    make_payment(session, line.order)
    change(session, line, quantity_shipped=1)
    return 2, 1


def categories_in_a_circle(session: Session) -> list[Pair]:
    one = make_category(session, "One")
    other = make_category(session, "Other", one)
    change(session, one, parent_id=other.id)
    return [("a top category", "Other"), ("a top category", "One")]


def price_past_its_history(session: Session) -> Pair:
    product = stocked(session)
    make_price_change(session, product, Decimal(12))
    change(session, product, price=Decimal("12.5"))
    return Decimal(12), Decimal("12.5")


def product_for_nothing(session: Session) -> Pair:
    change(session, stocked(session), price=0)
    return "a price", 0


def product_without_cost(session: Session) -> Pair:
    change(session, stocked(session), unit_cost=None)
    return "a unit cost", "none"


def order_that_is_not_its_items(session: Session) -> Pair:
    order = sold(session).order
    change(session, order, subtotal_amount=Decimal("20.01"), total_amount=Decimal("20.01"))
    return 20, Decimal("20.01")


def completed_before_shipped(session: Session) -> Pair:
    line = sold(session, OrderStatus.COMPLETED, shipped_at=NOON + timedelta(hours=1))
    make_payment(session, line.order)
    return "2026-01-15 13:00:00", "2026-01-15 12:00:00"


def cancelled_before_placed(session: Session) -> Pair:
    line = sold(session)
    move_stock(session, line.product, 2, MovementKind.CANCEL, order_item=line)
    change(session, line, quantity_cancelled=2)
    change(
        session,
        line.order,
        status=OrderStatus.CANCELLED,
        cancelled_at=NOON - timedelta(minutes=1),
        cancel_reason="Typo",
    )
    return "2026-01-15 12:00:00", "2026-01-15 11:59:00"


def status_past_the_timeline(session: Session) -> Pair:
    order = sold(session).order
    states = {"from_status": OrderStatus.PENDING, "to_status": OrderStatus.PAID}
    make_order_event(session, order, OrderEventKind.STATUS_CHANGED, **states)
    return "paid", "pending"


def paid_without_payment(session: Session) -> Pair:
    make_payment(session, sold(session, OrderStatus.COMPLETED).order, Decimal(19))
    return 20, 19


def paid_and_still_waiting(session: Session) -> Pair:
    make_payment(session, sold(session).order)
    return "paid", "pending"


def paid_before_ordered(session: Session) -> Pair:
    change(session, paid(session), captured_at=NOON - timedelta(days=1))
    return "2026-01-15 12:00:00", "2026-01-14 12:00:00"


def refunded_more_than_paid(session: Session) -> Pair:
    payment = paid(session)
    line = payment.order.items[0]
    make_refund(session, payment, (line, 1, Decimal(20)))
    add_past_the_payment(session, payment, line, Decimal(5))
    return 20, 25


def refund_that_the_payment_does_not_know(session: Session) -> Pair:
    payment = paid(session)
    add_past_the_payment(session, payment, payment.order.items[0], Decimal(5))
    return 5, 0


def add_past_the_payment(
    session: Session, payment: Payment, line: OrderItem, amount: Decimal
) -> None:
    make_refund(session, payment, status=RefundStatus.FAILED, amount=amount)
    refund = session.scalars(sa.select(Refund).order_by(Refund.id.desc())).first()
    assert refund is not None
    session.add(RefundItem(refund=refund, order_item=line, quantity=0, amount=amount))
    session.commit()
    change(session, refund, status=RefundStatus.SUCCEEDED)


def refund_that_is_not_its_items(session: Session) -> Pair:
    refund = refunded(session)
    change(session, refund, amount=Decimal(11))
    payment = refund.payment
    assert payment is not None
    change(session, payment, refunded_amount=Decimal(11))
    return 10, 11


def refund_in_another_currency(session: Session) -> Pair:
    refund = refunded(session)
    change(session, refund, currency="USD")
    order = refund.order
    assert order is not None
    return f"{order.number} GBP", f"{order.number} USD"


def refund_from_another_order(session: Session) -> Pair:
    refund, other = refunded(session), paid(session)
    assert refund.order is not None
    own = refund.order.number
    change(session, refund, order_id=other.order_id)
    return f"{other.order.number} GBP", f"{own} GBP"


def refunded_before_paid(session: Session) -> Pair:
    refunded(session, processed_at=NOON - timedelta(hours=2))
    return "2026-01-15 12:00:00", "2026-01-15 10:00:00"


def units_that_no_refund_knows(session: Session) -> Pair:
    change(session, refunded(session).items[0].order_item, quantity_refunded=2)
    return 1, 2


FAULTS: list[tuple[str, Plant]] = [
    ("stock-is-ledger", stock_past_the_ledger),
    ("balances-add-up", balance_that_does_not_add_up),
    ("open-units-are-taken", order_not_taken_from_stock),
    ("open-units-are-taken", order_taken_twice),
    ("closed-units-are-settled", units_left_in_a_closed_order),
    ("categories-have-a-root", categories_in_a_circle),
    ("price-is-the-last-one", price_past_its_history),
    ("products-have-a-price", product_for_nothing),
    ("products-have-a-cost", product_without_cost),
    ("order-is-its-items", order_that_is_not_its_items),
    ("order-moments-in-order", completed_before_shipped),
    ("order-moments-in-order", cancelled_before_placed),
    ("timeline-ends-in-status", status_past_the_timeline),
    ("paid-orders-have-payments", paid_without_payment),
    ("payments-make-orders-paid", paid_and_still_waiting),
    ("payment-after-order", paid_before_ordered),
    ("refunds-within-payments", refunded_more_than_paid),
    ("payments-know-their-refunds", refund_that_the_payment_does_not_know),
    ("refund-is-its-items", refund_that_is_not_its_items),
    ("refund-fits-its-payment", refund_in_another_currency),
    ("refund-fits-its-payment", refund_from_another_order),
    ("refund-after-payment", refunded_before_paid),
    ("refunded-units-are-refunds", units_that_no_refund_knows),
]


def put_back(session: Session, shipped: int) -> None:
    """A paid order of two units, one of which is refunded and put back into the stock."""
    line = sold(session, OrderStatus.PAID)
    refund = make_refund(session, make_payment(session, line.order), (line, 1, PRICE))
    line.quantity_shipped = shipped
    line.quantity_cancelled = 1 if shipped < 2 else 0
    move_stock(session, line.product, 1, MovementKind.RESTOCK, refund_item=refund.items[0])


def in_order(session: Session) -> None:
    """A shop with everything that a check looks at, and nothing wrong."""
    make_category(session, "Low", make_category(session, "Top"))
    make_price_change(session, stocked(session), Decimal(11))
    sold(session)
    for shipped in (0, 1, 2):
        put_back(session, shipped)
    refunded(session)
    refunded(session, status=RefundStatus.PENDING)
    refunded(session, status=RefundStatus.FAILED)
    order = paid(session).order
    states = {"from_status": OrderStatus.SHIPPED, "to_status": OrderStatus.COMPLETED}
    make_order_event(session, order, OrderEventKind.STATUS_CHANGED, **states)


def test_a_shop_in_order_breaks_no_rule(committed: Session, reports: ReportRunner) -> None:
    in_order(committed)

    findings = examine_all(reports, CHECKS)

    assert [(found.check.slug, found.rows, found.problem) for found in findings] == [
        (check.slug, (), "") for check in CHECKS
    ]
    assert {found.verdict for found in findings} == {Verdict.PASS}


def test_every_check_has_its_fault() -> None:
    assert {slug for slug, _plant in FAULTS} == {check.slug for check in CHECKS}
    assert len({check.slug for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(("slug", "plant"), FAULTS, ids=[plant.__name__ for _, plant in FAULTS])
def test_a_fault_is_found_and_said(
    committed: Session, reports: ReportRunner, slug: str, plant: Plant
) -> None:
    in_order(committed)
    planted = plant(committed)
    pairs = planted if isinstance(planted, list) else [planted]

    finding = examine(reports, find_check(slug), 30)
    # A circle cannot be deleted afterwards.
    committed.execute(sa.update(Category).values(parent_id=None))
    committed.commit()

    assert finding.problem == ""
    assert [(row.expected, row.found) for row in finding.rows] == pairs
    assert (finding.verdict, finding.count) == (Verdict.FAIL, str(len(pairs)))


@pytest.mark.parametrize("check", CHECKS, ids=[check.slug for check in CHECKS])
def test_the_rows_of_a_check_are_rows_of_its_table(check: Check) -> None:
    tables = {model.__tablename__ for model in (Product, Order, OrderItem, Payment, Refund)}

    assert check.table in tables | {"stock_movements", "categories"}


def test_counting_stops_and_says_so(
    committed: Session, reports: ReportRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        change(committed, stocked(committed), stock=1)
    monkeypatch.setattr(module, "COUNTED", 2)

    finding = examine(reports, find_check("stock-is-ledger"), 30)

    assert (len(finding.rows), finding.count) == (2, "2+")


def test_a_check_that_takes_too_long_is_stopped_and_says_that_nothing_is_known(
    committed: Session, reports: ReportRunner
) -> None:
    finding = examine(reports, ENDLESS, 0.2)

    assert finding.verdict is Verdict.STOPPED
    assert finding.problem == "Stopped after 0.2 seconds: whether the rule holds is not known."


def test_when_the_time_is_up_the_other_checks_are_not_run(
    committed: Session, reports: ReportRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALL_SECONDS", 1.2)
    monkeypatch.setattr(module, "EACH_SECONDS", 1.1)

    stopped, late = examine_all(reports, [ENDLESS, find_check("stock-is-ledger")])

    assert stopped.problem.startswith("Stopped after 1.1 seconds")
    assert late.problem == "Not run: the checks before took all the time."
    assert late.verdict is Verdict.STOPPED
