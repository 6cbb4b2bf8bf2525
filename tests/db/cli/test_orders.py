"""`flask orders` does what the console does, and refuses with one sentence."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.models import ChangeSet, Order, OrderStatus, Refund
from tests.db.services.shopping import paid_order, shipped_order, stocked
from tests.factories import count


@pytest.fixture
def order(session: Session, shell: Actor) -> Order:
    """A paid order of three lamps at 10.00, with 4.00 of shipping."""
    lamp = stocked(session, sku="LAMP-1", name="Lamp")
    return paid_order(session, shell, (lamp, 3), shipping_amount=Decimal(4))


def test_an_order_is_shown(order: Order, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["orders", "show", order.number])

    lines = result.output.splitlines()
    assert lines[0].startswith(f"Order {order.number} of guest@example.com, placed 20")
    assert lines[1:4] == [
        "  paid; payment: paid; goods: unshipped",
        "  total 34.00 USD, refundable 34.00",
        "  3 × LAMP-1 Lamp: 30.00 (shipped 0, cancelled 0, refunded 0)",
    ]
    assert lines[5].endswith("payment captured → paid by tester")
    facts = json.loads(runner.invoke(args=["orders", "show", order.number, "--json"]).output)
    assert (facts["status"], facts["lines"][0]["quantity"]) == ("paid", 3)


def test_an_order_is_cancelled(session: Session, order: Order, runner: FlaskCliRunner) -> None:
    args = ["orders", "cancel", order.number, "--reason", "Fraud"]
    sets = count(session, ChangeSet)

    told = "Units back in stock: 3. To be refunded: 34.00 USD.\n"
    assert runner.invoke(args=[*args, "--dry-run"]).output == f"Would cancel {order.number}. {told}"
    assert count(session, ChangeSet) == sets
    assert runner.invoke(args=args).output == f"Cancelled {order.number}. {told}"

    session.expire_all()
    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, "Fraud")
    assert order.items[0].product.stock == 10
    assert session.scalars(sa.select(Refund)).one().amount == Decimal(34)
    last = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert last is not None
    assert (last.action, last.source) == ("order.cancel", "command")


def test_an_order_is_refunded_once_by_its_key(
    session: Session, order: Order, runner: FlaskCliRunner
) -> None:
    args = ["orders", "refund", order.number, "--line", "lamp-1=2", "--restock", "LAMP-1=1"]
    args += ["--shipping", "1.50", "--reason", "Damaged", "--key", "k1"]

    would = runner.invoke(args=[*args, "--dry-run"])
    assert would.output == (
        f"Would refund 2 units (back in stock: 1) with 21.50 USD of {order.number}.\n"
    )
    assert count(session, Refund) == 0
    for _time in range(2):
        result = runner.invoke(args=args)
        assert (result.exit_code, result.output) == (0, "Refund R100001 of 21.50 USD is pending.\n")

    made = session.scalars(sa.select(Refund)).one()
    assert (made.amount, made.items[0].restock_quantity) == (Decimal("21.50"), 1)
    assert made.items[0].order_item is not None
    assert made.items[0].order_item.product.stock == 8


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["show", "nothing"], "There is no order 'nothing'."),
        (["cancel", "nothing", "--reason", "x"], "There is no order 'nothing'."),
        (["cancel", "ORDER"], "Missing option '--reason'."),
        (["cancel", "ORDER", "--reason", " "], "Write why."),
        (["refund", "ORDER", "--reason", "x"], "Choose what is refunded."),
        (["refund", "ORDER", "--reason", "x", "--line", "LAMP-1"],
         "'LAMP-1' is not units of a SKU. Write it like LAMP-1=2."),
        (["refund", "ORDER", "--reason", "x", "--line", "LAMP-1=-1"],
         "'LAMP-1=-1' is not units of a SKU. Write it like LAMP-1=2."),
        (["refund", "ORDER", "--reason", "x", "--line", "LAMP-1=4"],
         "Only 3 of LAMP-1 can be refunded."),
        (["refund", "ORDER", "--reason", "x", "--line", "BOWL=1"],
         "The order has no line of BOWL. Use the console for it."),
        (["refund", "ORDER", "--reason", "x", "--line", "LAMP-1=1", "--line", "LAMP-1=1"],
         "Name each SKU once."),
        (["refund", "ORDER", "--reason", "x", "--restock", "LAMP-1=1"],
         "LAMP-1 is to be put back, but no --line refunds it."),
        (["refund", "ORDER", "--reason", "x", "--other", "lots"],
         "'lots' is not an amount. Write it like 12.50."),
        (["refund", "ORDER", "--reason", "x", "--other", "1.005"],
         "Write the amount with two decimals at most."),
        (["refund", "ORDER", "--reason", "x", "--other", "34.01"],
         "Only 34.00 USD of this order can be refunded."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_changes_nothing(
    session: Session, order: Order, runner: FlaskCliRunner, args: list[str], sentence: str
) -> None:
    sets, version = count(session, ChangeSet), order.version

    args = [order.number if arg == "ORDER" else arg for arg in args]
    result = runner.invoke(args=["orders", *args])

    assert result.exit_code != 0
    assert result.output.splitlines()[-1].endswith(sentence)
    session.expire_all()
    assert (count(session, ChangeSet), count(session, Refund), order.version) == (sets, 0, version)


def test_what_has_left_is_not_cancelled(
    session: Session, shell: Actor, runner: FlaskCliRunner
) -> None:
    order = shipped_order(session, shell, (stocked(session), 1))

    for options in ([], ["--dry-run"]):
        result = runner.invoke(args=["orders", "cancel", order.number, "--reason", "x", *options])
        assert result.exit_code == 1
        assert result.output == (
            "Error: The order is shipped and cannot become cancelled. Refund it instead.\n"
        )
