"""How many orders a second can be placed, beside a bare psycopg loop of the same statements.

    python bench/place_order.py [--database-url URL] [--seconds 4] [--rounds 3] [--clients 1 4 8 16]

An order has three products: any of 10,000, and then one that every order has with two others. Both
sides take turns on one database. Clients are threads of two processes, each with a connection of
its own. The bare loop does no checks and keeps its connections; ours has an application context for
each order, as a request has.
"""

from __future__ import annotations

import random
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

import psycopg
import sqlalchemy as sa
from bare_order import Bare
from flask import Flask
from scratch import conninfo, options, shop

from backoffice.access import command_actor
from backoffice.app import create_app
from backoffice.db import StatementLog, db, statement_log
from backoffice.services.carts import Buyer, CartLine
from backoffice.services.placing import place_order
from backoffice.services.shop import Shop
from config import TestingConfig

PRODUCTS = 10_000
CUSTOMERS = 1_000
PROCESSES = 2
_CATEGORIES = """
    INSERT INTO categories (parent_id, name, version, created_at, updated_at)
    VALUES (NULL, 'Home', 1, now(), now()), (1, 'Lamps', 1, now(), now())
"""
_PRODUCTS = """
    INSERT INTO products (sku, name, price, stock, low_stock_threshold, is_available, category_id,
                          version, created_at, updated_at)
    SELECT 'P' || g, 'Product ' || g, 9.99, 1000000, 5, true, 2, 1, now(), now()
    FROM generate_series(1, %(products)s::int) AS g
"""
_OUT_OF_STEP = """
    SELECT count(*) FROM products p
    WHERE p.stock <> 1000000 + (SELECT coalesce(sum(delta), 0) FROM stock_movements
                                WHERE product_id = p.id)
"""
Place = Callable[[list[int], int], object]


def uniform() -> list[int]:
    return random.sample(range(1, PRODUCTS + 1), 3)


def hot() -> list[int]:
    return [1, *random.sample(range(2, PRODUCTS + 1), 2)]


BASKETS = {"uniform": uniform, "hot": hot}


def main() -> int:
    parser = options(__doc__)
    parser.set_defaults(orders=CUSTOMERS * 10)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8, 16])
    given = parser.parse_args()
    with shop(given.database_url, given.orders) as app:
        uri = app.config["SQLALCHEMY_DATABASE_URI"]
        with psycopg.connect(conninfo(uri), autocommit=True) as connection:
            connection.execute(_CATEGORIES)
            connection.execute(_PRODUCTS, {"products": PRODUCTS})
            connection.execute("VACUUM ANALYZE")
        print(f"statements an order, without BEGIN and COMMIT: {_statements(app)}")
        db.engine.dispose()
        print(f"{'orders/s':10} {'clients':>8} {'ours':>8} {'bare':>8} {'ratio':>7}")
        for name in BASKETS:
            for clients in given.clients:
                print(_line(name, clients, uri, given.rounds, given.seconds), flush=True)
        left = db.session.scalar(sa.text(_OUT_OF_STEP))
        print(f"products whose stock is not what their ledger says: {left}")
    return 0


def _statements(app: Flask) -> str:
    """Return how many statements either side sends; they must be as many."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    log = StatementLog()
    token = statement_log.set(log)
    _ours(uri, 1)([1, 2, 3], 1)
    statement_log.reset(token)
    bare = Bare(conninfo(uri))
    bare([1, 2, 3], 1)
    return f"ours {log.count}, bare {bare.statements}"


def _line(name: str, clients: int, uri: str, rounds: int, seconds: float) -> str:
    """Measure both sides in turn; return the medians as a line."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for _round in range(rounds):
        for side, found in rates.items():
            found.append(_rate(side, name, clients, uri, seconds))
    ours, bare = (statistics.median(found) for found in rates.values())
    return f"{name:10} {clients:8} {ours:8.0f} {bare:8.0f} {ours / bare:7.2f}"


def _rate(side: str, name: str, clients: int, uri: str, seconds: float) -> float:
    """Return the orders a second of so many clients, in two processes where there are several."""
    processes = min(PROCESSES, clients)
    share = clients // processes
    context = get_context("spawn")
    start, counts = context.Barrier(share * processes), context.SimpleQueue()
    work = (side, name, share, uri, seconds, start, counts)
    running = [context.Process(target=_work, args=work) for _ in range(processes)]
    for process in running:
        process.start()
    done: int = sum(counts.get() for _ in running)
    for process in running:
        process.join()
    return done / seconds


def _work(
    side: str,
    name: str,
    clients: int,
    uri: str,
    seconds: float,
    start: Barrier,
    counts: SimpleQueue[int],
) -> None:
    """Place orders with so many threads of this process; tell how many came through in time."""
    place = _ours(uri, clients) if side == "ours" else None

    def run(mine: Place) -> int:
        basket, count = BASKETS[name], 0
        mine(basket(), 1)  # statements are compiled and prepared
        start.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            mine(basket(), random.choice(range(1, CUSTOMERS + 1)))  # noqa: S311
            count += time.monotonic() < end
        return count

    with ThreadPoolExecutor(clients) as pool:
        places = [place or Bare(conninfo(uri)) for _ in range(clients)]
        counts.put(sum(pool.map(run, places)))


def _ours(uri: str, connections: int) -> Place:
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=uri, DB_POOL_SIZE=connections))
    rules, actor = Shop.of(app.config), command_actor("bench")

    def place(products: list[int], customer: int) -> None:
        with app.app_context():
            place_order(
                actor,
                Buyer(customer),
                lines=[CartLine(product, 1) for product in products],
                key=secrets.token_hex(8),
                shop=rules,
            )

    return place


if __name__ == "__main__":
    sys.exit(main())
