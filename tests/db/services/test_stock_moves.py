"""Stock moves by guarded steps, each of which leaves a row in the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import transaction
from backoffice.errors import InsufficientStockError
from backoffice.models import MovementKind, Product, StockMovement
from backoffice.services.locks import lock_products
from backoffice.services.stock import Move, move
from tests.factories import count, make_order, make_product, move_stock


def ledger(session: Session, product: Product) -> list[tuple[str, int, int]]:
    rows = session.scalars(
        sa.select(StockMovement)
        .where(StockMovement.product_id == product.id)
        .order_by(StockMovement.id)
    )
    return [(row.kind.value, row.delta, row.balance_after) for row in rows]


def test_a_move_changes_the_stock_and_leaves_a_row_of_the_ledger(
    session: Session, shell: Actor
) -> None:
    product = make_product(session)

    with transaction() as inner:
        held = lock_products(inner, [product.id])[product.id]
        assert move(inner, shell, MovementKind.RECEIVE, [Move(product.id, 12)]) == {product.id: 12}
        assert held.stock == 12

    assert product.stock == 12
    assert product.version == 1
    assert ledger(session, product) == [("receive", 12, 12)]
    entry = session.scalars(sa.select(StockMovement)).one()
    assert (entry.actor_id, entry.actor_name) == (None, "tester")


def test_several_moves_of_one_product_each_tell_the_balance_they_left(
    session: Session, shell: Actor
) -> None:
    first, second = make_product(session), make_product(session)
    for product in (first, second):
        move_stock(session, product, 10)
    order = make_order(
        session, (first, 2, Decimal(1)), (second, 1, Decimal(1)), (first, 3, Decimal(1))
    )
    moves = [Move(item.product_id, -item.quantity, order_item_id=item.id) for item in order.items]

    with transaction() as inner:
        assert move(inner, shell, MovementKind.SALE, moves) == {first.id: 5, second.id: 9}

    assert ledger(session, first) == [("receive", 10, 10), ("sale", -2, 8), ("sale", -3, 5)]
    assert ledger(session, second) == [("receive", 10, 10), ("sale", -1, 9)]


def test_more_than_is_left_is_refused_as_a_whole(session: Session, shell: Actor) -> None:
    plenty, scarce = make_product(session), make_product(session, sku="LAMP-1", name="Desk lamp")
    move_stock(session, plenty, 10)
    move_stock(session, scarce, 3)
    moves = [Move(plenty.id, -1, reason="Broken"), Move(scarce.id, -4, reason="Broken")]

    with (
        pytest.raises(InsufficientStockError, match=r"^Only 3 of LAMP-1 Desk lamp are left\.$"),
        transaction() as inner,
    ):
        move(inner, shell, MovementKind.WRITE_OFF, moves)

    assert (plenty.stock, scarce.stock) == (10, 3)
    assert count(session, StockMovement) == 2


def test_nothing_to_move_is_no_work(session: Session, shell: Actor) -> None:
    assert move(session, shell, MovementKind.CANCEL, []) == {}
    assert count(session, StockMovement) == 0
