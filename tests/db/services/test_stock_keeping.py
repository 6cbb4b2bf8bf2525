"""Deliveries, write-offs, corrections and counts: each by its rule, or without a trace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.db import db
from backoffice.errors import (
    BackofficeError,
    InputError,
    InsufficientStockError,
    NotFoundError,
    PermissionDeniedError,
)
from backoffice.models import ChangeSet, MovementKind, OrderStatus, Product, StockMovement
from backoffice.services.stock_keeping import (
    Count,
    StockTake,
    adjust_stock,
    count_stock,
    receive_stock,
    write_off,
)
from backoffice.services.stock_ledger import Correction, reconcile_ledger
from backoffice.services.stock_levels import read_committed
from tests.factories import count, make_order, make_product, move_stock

ONE = Decimal(1)


@pytest.fixture
def product(session: Session) -> Product:
    return stocked(session, 10)


def stocked(session: Session, units: int) -> Product:
    product = make_product(session)
    move_stock(session, product, units)
    return product


def promised(
    session: Session, product: Product, units: int, status: OrderStatus = OrderStatus.PAID
) -> None:
    """Let an order wait for units that left the stock."""
    order = make_order(session, (product, units, ONE), status=status)
    move_stock(session, product, -units, MovementKind.SALE, order_item=order.items[0])


def newest(session: Session) -> tuple[str, int, int, str | None]:
    row = session.scalars(sa.select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert row is not None
    return row.kind.value, row.delta, row.balance_after, row.reason


def logged(session: Session) -> list[tuple[str, str | None, list[tuple[str | None, str | None]]]]:
    return [
        (one.action, one.reason, [(change.old_value, change.new_value) for change in one.changes])
        for one in session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id))
    ]


def test_a_delivery_is_added_and_told(session: Session, shell: Actor, product: Product) -> None:
    version = product.version

    assert receive_stock(shell, product.id, quantity=5, reason=" Note 77 ") == 15

    # Somebody who edits the product meanwhile is not in the way.
    assert (product.stock, product.version) == (15, version)
    assert newest(session) == ("receive", 5, 15, "Note 77")
    assert logged(session) == [("stock.receive", "Note 77", [("10", "15")])]


def test_what_is_broken_is_taken_out(session: Session, shell: Actor, product: Product) -> None:
    assert write_off(shell, product.id, quantity=4, reason="Broken") == 6

    assert newest(session) == ("write_off", -4, 6, "Broken")
    assert logged(session) == [("stock.write_off", "Broken", [("10", "6")])]


@pytest.mark.parametrize(("delta", "left"), [(-10, 0), (3, 13)])
def test_a_correction_goes_either_way(
    session: Session, shell: Actor, product: Product, delta: int, left: int
) -> None:
    assert adjust_stock(shell, product.id, delta=delta, reason="Found") == left

    assert newest(session) == ("adjust", delta, left, "Found")


REFUSED: list[tuple[str, type[BackofficeError], str, Callable[[Actor, int], object]]] = [
    (
        "more than there is is written off",
        InsufficientStockError,
        "Only 10 are for sale.",
        lambda actor, key: write_off(actor, key, quantity=11, reason="x"),
    ),
    (
        "the stock would fall below zero",
        InsufficientStockError,
        "Only 10 are for sale.",
        lambda actor, key: adjust_stock(actor, key, delta=-11, reason="x"),
    ),
    (
        "nothing was delivered",
        InputError,
        "Enter a number from 1 to 1,000,000.",
        lambda actor, key: receive_stock(actor, key, quantity=0),
    ),
    (
        "too much was delivered",
        InputError,
        "Enter a number from 1 to 1,000,000.",
        lambda actor, key: receive_stock(actor, key, quantity=1_000_001),
    ),
    (
        "a correction corrects nothing",
        InputError,
        "Enter a difference, such as 3 or -3.",
        lambda actor, key: adjust_stock(actor, key, delta=0, reason="x"),
    ),
    (
        "a correction has no reason",
        InputError,
        "Say why.",
        lambda actor, key: adjust_stock(actor, key, delta=1, reason="  "),
    ),
    (
        "a write-off has no reason",
        InputError,
        "Say why.",
        lambda actor, key: write_off(actor, key, quantity=1, reason=""),
    ),
    (
        "there is no such product",
        NotFoundError,
        "There is no such product.",
        lambda actor, key: receive_stock(actor, key + 1000, quantity=1),
    ),
    (
        "one product is counted twice",
        InputError,
        "Count each product once.",
        lambda actor, key: count_stock(actor, [Count(key, 1, 10), Count(key, 2, 10)], reason="x"),
    ),
]


@pytest.mark.parametrize(
    ("error", "sentence", "work"),
    [one[1:] for one in REFUSED],
    ids=[one[0].replace(" ", "_") for one in REFUSED],
)
def test_what_makes_no_sense_is_refused_and_leaves_no_trace(
    session: Session,
    shell: Actor,
    product: Product,
    error: type[BackofficeError],
    sentence: str,
    work: Callable[[Actor, int], object],
) -> None:
    with pytest.raises(error) as caught:
        work(shell, product.id)

    assert str(caught.value) == sentence
    session.refresh(product)
    assert (product.stock, count(session, StockMovement), count(session, ChangeSet)) == (10, 1, 0)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ANALYST, Role.OPERATOR])
def test_the_stock_is_for_managers(
    session: Session, product: Product, actor_of: Callable[[Role], Actor], role: Role
) -> None:
    actor, key = actor_of(role), product.id

    for work in (
        lambda: receive_stock(actor, key, quantity=1),
        lambda: write_off(actor, key, quantity=1, reason="x"),
        lambda: adjust_stock(actor, key, delta=1, reason="x"),
        lambda: count_stock(actor, [Count(key, 1, 10)], reason="x"),
        lambda: reconcile_ledger(actor, [key], reason="x"),
    ):
        with pytest.raises(PermissionDeniedError):
            work()
    assert (count(session, StockMovement), count(session, ChangeSet)) == (1, 0)


def test_one_form_sent_twice_is_done_once(session: Session, shell: Actor, product: Product) -> None:
    assert receive_stock(shell, product.id, quantity=5, key="k1") == 15
    assert receive_stock(shell, product.id, quantity=5, key="k1") == 15
    assert receive_stock(shell, product.id, quantity=6, key="k1") == 21
    assert receive_stock(shell, product.id, quantity=5, key="k2") == 26

    assert count(session, StockMovement) == 4


def test_what_waits_in_open_orders_is_committed(session: Session) -> None:
    product, other = stocked(session, 30), stocked(session, 5)
    promised(session, product, 3)
    promised(session, product, 4, OrderStatus.PENDING)
    shipped = make_order(session, (product, 5, ONE), status=OrderStatus.PROCESSING)
    shipped.items[0].quantity_shipped = 2
    shipped.items[0].quantity_cancelled = 1
    make_order(session, (product, 7, ONE), status=OrderStatus.COMPLETED)
    session.commit()

    assert read_committed(session, [product.id, other.id]) == {product.id: 9, other.id: 0}


def test_a_count_is_of_what_lies_in_the_store(session: Session, shell: Actor) -> None:
    product = stocked(session, 10)
    promised(session, product, 4)

    take = count_stock(shell, [Count(product.id, 9, 10)], reason="Stock-take")

    assert take == StockTake(differences={product.id: -1})
    assert product.stock == 5
    assert newest(session) == ("adjust", -1, 5, "Stock-take")
    assert logged(session) == [("stock.count", "Stock-take", [("6", "5")])]


def test_a_count_that_finds_what_was_expected_writes_nothing(
    session: Session, shell: Actor, product: Product
) -> None:
    take = count_stock(shell, [Count(product.id, 10, 10)], reason="Stock-take")

    assert take == StockTake(differences={product.id: 0})
    assert (count(session, StockMovement), count(session, ChangeSet)) == (1, 0)


def test_bad_counts_are_told_and_good_ones_kept(session: Session, shell: Actor) -> None:
    good, moved, short = (stocked(session, 10) for _ in range(3))
    move_stock(session, moved, 1)
    promised(session, short, 4)
    unknown = short.id + 1000
    counts = [
        Count(short.id, 3, 10),
        Count(unknown, 1, 1),
        Count(good.id, 12, 10),
        Count(moved.id, 8, 10),
    ]

    take = count_stock(shell, counts, reason="Stock-take")

    assert take.differences == {good.id: 2}
    assert take.refused == {
        moved.id: "Meanwhile 11 are on hand; 10 were when you looked. Count again.",
        unknown: "There is no such product.",
        short.id: "Open orders wait for 4, and 3 were counted. Cancel units of those orders first.",
    }
    for product in (good, moved, short):
        session.refresh(product)
    assert (good.stock, moved.stock, short.stock) == (12, 11, 6)
    assert count(session, ChangeSet) == 1


@pytest.mark.parametrize("counted", [-1, 1_000_001])
def test_a_count_that_cannot_be_is_refused(
    session: Session, shell: Actor, product: Product, counted: int
) -> None:
    take = count_stock(shell, [Count(product.id, counted, 10)], reason="x")

    assert take.refused == {product.id: "Enter a number from 0 to 1,000,000."}
    assert product.stock == 10


def test_of_two_counts_at_once_only_one_is_kept(
    app: Flask, committed: Session, shell: Actor
) -> None:
    product = stocked(committed, 10)
    key, start = product.id, Barrier(2)
    committed.rollback()

    def counting(counted: int) -> StockTake:
        with app.app_context():
            start.wait(30)
            return count_stock(shell, [Count(key, counted, 10)], reason="Stock-take")

    with ThreadPoolExecutor(2) as pool:
        takes = list(pool.map(counting, (8, 7)))

    kept = [take for take in takes if take.differences]
    refused = [take.refused for take in takes if take.refused]
    committed.refresh(product)
    assert len(kept) == 1
    stock = 10 + kept[0].differences[key]
    assert product.stock == stock
    assert refused == [
        {key: f"Meanwhile {stock} are on hand; 10 were when you looked. Count again."}
    ]
    assert count(committed, StockMovement) == 2


def test_counts_of_the_same_products_in_any_order_do_not_deadlock(
    app: Flask, committed: Session, shell: Actor
) -> None:
    keys = [stocked(committed, 100).id for _ in range(5)]
    start = Barrier(4)
    committed.rollback()

    def adjusting(turn: int) -> list[int]:
        with app.app_context():
            start.wait(30)
            order = keys if turn % 2 else keys[::-1]
            take = count_stock(shell, [Count(key, 90, 100) for key in order], reason="x")
            db.session.remove()
            return sorted(take.differences)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(adjusting, range(4)))

    assert sorted(done) == [[], [], [], keys]
    assert committed.scalars(sa.select(Product.stock)).all() == [90] * 5


def test_corrections_at_once_are_all_kept(app: Flask, committed: Session, shell: Actor) -> None:
    key, start = stocked(committed, 10).id, Barrier(4)
    committed.rollback()

    def adjusting(delta: int) -> int:
        with app.app_context():
            start.wait(30)
            return adjust_stock(shell, key, delta=delta, reason="x")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(adjusting, (-1, -2, -3, 5)))

    rows = committed.scalars(sa.select(StockMovement).order_by(StockMovement.id)).all()
    assert committed.scalars(sa.select(Product.stock)).one() == 9
    balance = 0
    for row in rows:
        balance += row.delta
        assert row.balance_after == balance


def test_the_ledger_is_brought_to_the_stock(session: Session, shell: Actor) -> None:
    wrong, right = stocked(session, 10), stocked(session, 10)
    session.execute(sa.update(Product).where(Product.id == wrong.id).values(stock=7))
    session.commit()

    made = reconcile_ledger(shell, [wrong.id, right.id], reason="Changed by hand")

    assert made == [Correction(str(wrong), 10, 7)]
    assert newest(session) == ("adjust", -3, 7, "Changed by hand")
    assert count(session, StockMovement) == 3
    session.refresh(wrong)
    assert (wrong.stock, right.stock) == (7, 10)
    assert [entry[:2] for entry in logged(session)] == [("stock.reconcile", "Changed by hand")]
    assert reconcile_ledger(shell, [wrong.id], reason="Again") == []
