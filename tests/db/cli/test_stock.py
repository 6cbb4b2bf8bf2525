"""`flask stock`: what it says, what it writes, and how it ends."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.models import ChangeSet, Product, StockMovement
from tests.factories import count, make_product, move_stock


@pytest.fixture
def product(committed: Session) -> Product:
    product = make_product(committed, sku="MUG", name="Mug")
    move_stock(committed, product, 10)
    return product


def spoil(session: Session, stock: int) -> None:
    session.execute(sa.update(Product).values(stock=stock))
    session.commit()


def test_a_stock_that_is_its_ledger_ends_with_0(
    committed: Session, runner: FlaskCliRunner, product: Product
) -> None:
    result = runner.invoke(args=["stock", "reconcile"])

    assert result.exit_code == 0
    assert result.output == "The stock of every product is the sum of its movements.\n"


def test_a_difference_is_told_ends_with_3_and_is_left(
    committed: Session, runner: FlaskCliRunner, product: Product
) -> None:
    spoil(committed, 7)

    result = runner.invoke(args=["stock", "reconcile"])

    assert result.exit_code == 3
    assert result.output == (
        "MUG Mug: 7 in stock, 10 by the ledger.\n1 product differs from its ledger.\n"
    )
    assert (count(committed, StockMovement), count(committed, ChangeSet)) == (1, 0)


def test_corrections_are_written_when_asked_for(
    committed: Session, runner: FlaskCliRunner, product: Product
) -> None:
    spoil(committed, 7)

    result = runner.invoke(
        args=["stock", "reconcile", "--write-corrections", "--reason", "Changed by hand"]
    )

    assert result.exit_code == 0
    assert result.output == (
        "MUG Mug: -3 in the ledger.\nThe stock of every product is the sum of its movements.\n"
    )
    newest = committed.scalars(sa.select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert newest is not None
    assert (newest.delta, newest.balance_after, newest.reason) == (-3, 7, "Changed by hand")


def test_corrections_want_a_reason(
    committed: Session, runner: FlaskCliRunner, product: Product
) -> None:
    spoil(committed, 7)

    result = runner.invoke(args=["stock", "reconcile", "--write-corrections"])

    assert result.exit_code == 2
    assert "--write-corrections needs --reason." in result.output
    assert count(committed, StockMovement) == 1


@pytest.mark.parametrize(
    ("options", "said", "stock"),
    [
        (["--by", "-3"], "MUG Mug: 7 for sale.\n", 7),
        (["--counted", "12"], "MUG Mug: 12 on hand, +2.\n", 12),
        (["--counted", "12", "--expected", "10"], "MUG Mug: 12 on hand, +2.\n", 12),
    ],
)
def test_the_stock_is_corrected(
    committed: Session,
    runner: FlaskCliRunner,
    product: Product,
    options: list[str],
    said: str,
    stock: int,
) -> None:
    result = runner.invoke(args=["stock", "adjust", "mug", "--reason", "Stock-take", *options])

    assert (result.exit_code, result.output) == (0, said)
    committed.refresh(product)
    assert product.stock == stock


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["MUG", "--counted", "12", "--expected", "9"], "Meanwhile 10 are on hand"),
        (["MUG", "--by", "-11"], "Only 10 are for sale."),
        (["CUP", "--by", "1"], "There is no product CUP."),
        (["MUG"], "Give either --by or --counted."),
        (["MUG", "--by", "1", "--counted", "1"], "Give either --by or --counted."),
    ],
)
def test_a_correction_that_is_refused_changes_nothing(
    committed: Session, runner: FlaskCliRunner, product: Product, args: list[str], said: str
) -> None:
    result = runner.invoke(args=["stock", "adjust", *args, "--reason", "x"])

    assert result.exit_code != 0
    assert said in result.output
    assert (count(committed, StockMovement), count(committed, ChangeSet)) == (1, 0)
