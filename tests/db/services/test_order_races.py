"""Many at once: on PostgreSQL their locks sort them out, on SQLite its one write lock does.

Every test commits for real. The pool is as small as it is by default: ten connections, for which
more threads wait in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import cycle, islice, permutations
from threading import Barrier
from typing import TypeVar

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import db
from backoffice.errors import BackofficeError
from backoffice.models import (
    ChangeSet,
    MovementKind,
    Order,
    OrderItem,
    Product,
    Refund,
    StockMovement,
)
from backoffice.services.carts import Buyer, CartLine
from backoffice.services.orders import cancel_order, ship_order
from backoffice.services.placing import place_order
from backoffice.services.refunds import request_refund
from tests.db.services.shopping import GUEST, SHOP, paid_order, stocked
from tests.factories import count

T = TypeVar("T")


def at_once(app: Flask, threads: int, tasks: Iterable[Callable[[], T]]) -> list[T | str]:
    """Run the tasks on so many threads that start together; a refusal becomes its sentence."""
    queue = list(tasks)
    workers = 1 if db.engine.dialect.name == "sqlite" else threads
    start = Barrier(workers)

    def work(share: list[Callable[[], T]]) -> list[T | str]:
        results: list[T | str] = []
        start.wait(10)
        for task in share:
            with app.app_context():
                try:
                    results.append(task())
                except BackofficeError as error:
                    results.append(str(error))
        return results

    with ThreadPoolExecutor(workers) as pool:
        shares = [queue[index::workers] for index in range(workers)]
        return [result for results in pool.map(work, shares) for result in results]


def ledger_is_stock(session: Session) -> bool:
    """Whether the stock of each product is the sum of its movements."""
    moved = (
        sa.select(sa.func.coalesce(sa.func.sum(StockMovement.delta), 0))
        .where(StockMovement.product_id == Product.id)
        .scalar_subquery()
    )
    return session.scalars(sa.select(Product.sku).where(Product.stock != moved)).all() == []


def test_forty_buyers_of_the_last_ten_pieces(app: Flask, committed: Session, shell: Actor) -> None:
    product = stocked(committed, 10, sku="LAST", name="Piece")
    line = [CartLine(product.id, 1)]
    committed.commit()

    def buy(number: int) -> Callable[[], str]:
        return lambda: (
            place_order(
                shell,
                Buyer(email=f"b{number}@example.com"),
                lines=line,
                key=f"b{number}",
                shop=SHOP,
            ).number
        )

    results = at_once(app, 10, map(buy, range(40)))

    refused = [result for result in results if not result.isdecimal()]
    assert refused == ["LAST Piece is sold out."] * 30
    assert (count(committed, Order), count(committed, ChangeSet)) == (10, 10)
    sales = sa.select(StockMovement.balance_after).where(StockMovement.kind == MovementKind.SALE)
    assert sorted(committed.scalars(sales)) == list(range(10))
    committed.expire_all()
    assert product.stock == 0


def test_orders_of_two_products_in_any_order_neither_deadlock_nor_lose_stock(
    app: Flask, committed: Session, shell: Actor
) -> None:
    keys = [stocked(committed, 200).id for _ in range(6)]
    committed.commit()
    # Each two products, in either order.
    baskets = list(islice(cycle(permutations(keys, 2)), 200))

    def buy(number: int) -> Callable[[], str]:
        lines = [CartLine(key, 1) for key in baskets[number]]
        return lambda: place_order(shell, GUEST, lines=lines, key=f"k{number}", shop=SHOP).number

    results = at_once(app, 16, map(buy, range(200)))

    assert len(set(results)) == 200
    assert all(result.isdecimal() for result in results)
    sold = Counter(key for basket in baskets for key in basket)
    rows = committed.execute(sa.select(Product.id, Product.stock))
    assert {row.id: row.stock for row in rows} == {key: 200 - sold[key] for key in keys}
    assert ledger_is_stock(committed)
    assert count(committed, OrderItem) == 400


def test_two_refunds_of_sixty_on_a_hundred(app: Flask, committed: Session, shell: Actor) -> None:
    order = paid_order(committed, shell, (stocked(committed, price=Decimal(100)), 1))
    key = order.id
    committed.commit()

    def refund(name: str) -> Callable[[], str]:
        return lambda: (
            request_refund(
                shell, key, other_amount=Decimal(60), reason="Late", key=name, shop=SHOP
            ).number
        )

    results = at_once(app, 2, [refund("one"), refund("two")])

    assert sorted(results) == ["Only 40.00 USD of this order can be refunded.", "R100001"]
    committed.expire_all()
    assert count(committed, Refund) == 1
    assert order.payments[0].refund_pending_amount == Decimal(60)


def test_one_key_from_eight_sides_makes_one_order(
    app: Flask, committed: Session, shell: Actor
) -> None:
    product = stocked(committed, 1)
    line = [CartLine(product.id, 1)]
    committed.commit()

    def buy() -> tuple[str, bool]:
        placed = place_order(shell, GUEST, lines=line, key="the same", shop=SHOP)
        return placed.number, placed.is_repeat

    results = at_once(app, 8, [buy] * 8)

    assert len({result[0] for result in results}) == 1
    assert Counter(result[1] for result in results) == {False: 1, True: 7}
    assert (count(committed, Order), count(committed, ChangeSet)) == (1, 1)


def test_one_key_for_different_products_at_once_makes_one_order(
    app: Flask, committed: Session, shell: Actor
) -> None:
    keys = [stocked(committed, 1).id for _ in range(4)]
    committed.commit()

    def buy(key: int) -> Callable[[], str]:
        lines = [CartLine(key, 1)]
        return lambda: place_order(shell, GUEST, lines=lines, key="same", shop=SHOP).number

    results = at_once(app, 4, map(buy, keys))

    refusal = "This form has made another order already. Begin a new one."
    assert Counter(result == refusal for result in results) == {True: 3, False: 1}
    assert sum(committed.scalars(sa.select(Product.stock))) == 3


@pytest.mark.parametrize("_round", range(3))
def test_an_order_is_either_shipped_or_cancelled(
    app: Flask, committed: Session, shell: Actor, _round: int
) -> None:
    product = stocked(committed, 5)
    order = paid_order(committed, shell, (product, 2))
    key = order.id
    committed.commit()

    results = at_once(
        app,
        2,
        [
            lambda: ship_order(shell, key).status.value,
            lambda: cancel_order(shell, key, reason="x", shop=SHOP).status.value,
        ],
    )

    committed.expire_all()
    assert order.status.value in results
    assert {order.status.value: product.stock} in ({"shipped": 3}, {"cancelled": 5})
    assert ledger_is_stock(committed)
    assert len([result for result in results if result in ("shipped", "cancelled")]) == 1
