"""How long an import of sales takes, against merely reading the file and storing its rows.

    python bench/import_orders.py [--database-url URL] [--file FILE] [--rounds 2] [--limit 6]

The floor is one loop of `csv` over the file, plus a raw COPY (PostgreSQL) or executemany (SQLite)
of the very rows that the import wrote into bare copies of their tables: no keys, no indexes, no
checks. Printed for comparison only: the same loop with the lines as they are into one bare table.
All are measured in the same run, several times, the best of each counting, on scratch databases
that are created and dropped again; `--database-url` names the server, or is sqlite:// (the
default). The file is taken from the folder ONLINE_RETAIL_DIR, or generated. Exits with 1 when the
ratio or the memory is above its limit.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import os
import random
import resource
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
from flask_migrate import upgrade
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from backoffice.access import command_actor
from backoffice.app import create_app
from backoffice.cli.imports import MAPPINGS
from backoffice.formats.mappings import find_mapping
from backoffice.services.imports import ImportRules, import_orders
from config import DevelopmentConfig

RETAIL = "online_retail_iso_utf8.csv.gz"
GENERATED_LINES = 540_000
MEGABYTES = 300
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
TABLES = (
    "users", "profiles", "products", "orders", "order_items", "payments", "refunds", "refund_items",
)  # fmt: skip
BARE_LINES = (
    "CREATE TABLE bare_lines (invoice TEXT, sku TEXT, name TEXT, quantity INTEGER, "
    "placed_at TIMESTAMP, unit_price NUMERIC, customer TEXT, country TEXT)"
)


def main() -> int:
    options = _options()
    url = make_url(options.database_url)
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        path = _input(Path(folder), options.file)
        rounds = [_round(url, Path(folder), path) for _ in range(options.rounds)]
    # The best of each: what other programs take from the machine only ever adds.
    best = Round(*(min(values) for values in zip(*rounds, strict=True)))
    peak = max(one.megabytes for one in rounds)
    ratio = best.seconds / best.floor
    print(f"{url.get_backend_name()}: import {best.seconds:.2f} s, floor {best.floor:.2f} s")
    print(f"ratio {ratio:.2f} (limit {options.limit:g}), peak RSS {peak:.0f} MB ({MEGABYTES})")
    print(f"for comparison, csv and its lines in one bare table: {best.lines:.2f} s")
    return int(ratio > options.limit or peak > MEGABYTES)


class Round(NamedTuple):
    """The figures of one run, in seconds but for the memory."""

    seconds: float
    megabytes: float
    floor: float
    lines: float


def _round(url: URL, folder: Path, path: Path) -> Round:
    with _scratch(url, folder) as scratch:
        seconds, peak = _in_new_process(_import, scratch, path)
        floor, lines = _in_new_process(_floor, scratch, path)
    return Round(seconds, peak, floor, lines)


def _in_new_process(
    measure: Callable[[str, str], tuple[float, float]], url: URL, path: Path
) -> tuple[float, float]:
    """Measure in a process that does nothing else, so that memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        text = url.render_as_string(hide_password=False)
        return pool.submit(measure, text, str(path)).result()


def _import(url: str, path: str) -> tuple[float, float]:
    """Return the seconds of the import and the megabytes of its process."""
    key = secrets.token_urlsafe(48)
    app = create_app(DevelopmentConfig(SQLALCHEMY_DATABASE_URI=url, SECRET_KEY=key))
    with app.app_context():
        upgrade()
        rules = ImportRules(
            find_mapping("online_retail", MAPPINGS), ZoneInfo("Europe/London"), "GBP"
        )
        start = time.perf_counter()
        import_orders(command_actor("bench"), Path(path), rules)
        seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--database-url", default="sqlite://")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--limit", type=float, default=6)
    return parser.parse_args()


def _input(folder: Path, given: Path | None) -> Path:
    """Return a copy of the file in a folder that can be written to."""
    named = os.environ.get("ONLINE_RETAIL_DIR")
    source = given or (Path(named) / RETAIL if named else None)
    if source is None:
        return _generated(folder / "sales.csv.gz")
    copy = folder / source.name
    shutil.copyfile(source, copy)
    return copy


def _generated(path: Path) -> Path:
    """Write a file of the same layout and about the same shape as Online Retail."""
    chance = random.Random(1)  # noqa: S311
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for line in range(GENERATED_LINES):
            invoice = line // 25
            sku = int(4000 * chance.random() ** 2)
            day = f"2011-{1 + invoice // 2000:02}-{1 + invoice % 28:02} 10:{invoice % 60:02}:00"
            quantity = chance.choice((1, 2, 6, 12, -1 if line % 10 == 0 else 24))
            price = f"{1 + sku % 900 / 100:.2f}"
            customer = "" if invoice % 4 == 0 else f"{12000 + invoice * 7 % 4400}.0"
            writer.writerow(
                (536365 + invoice, 10000 + sku, f"ARTICLE NUMBER {sku}", quantity, day, price,
                 customer, "United Kingdom")
            )  # fmt: skip
    return path


def _records(path: Path) -> Iterator[list[str]]:
    with gzip.open(path) as plain:
        yield from csv.reader(io.TextIOWrapper(plain, "utf-8", newline=""))


def _floor(url: str, path: str) -> tuple[float, float]:
    """Return the seconds for csv and the rows that were imported, and for csv and its lines."""
    scratch, file = make_url(url), Path(path)
    parsing = _timed(lambda: deque(_records(file), 0))
    rows = sum(_store_rows(scratch, table) for table in TABLES)
    return parsing + rows, _timed(lambda: _store_lines(scratch, file))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _store_lines(url: URL, path: Path) -> None:
    """Store the accepted lines of the file, as they are, in one bare table."""
    rows = _records(path)
    next(rows)
    kept = (row for row in rows if row[3][0] != "-" and row[5] not in ("0.0", "0"))
    _store(url, BARE_LINES, 8, kept)


def _store_rows(url: URL, table: str) -> float:
    """Return the seconds for the rows of a table in a bare copy of it; reading is not counted."""
    with _read(url, table) as (width, rows):
        # In memory, since a server goes on storing while the next rows are being fetched.
        held = list(rows)
    create = f"CREATE TABLE bare_{table} AS SELECT * FROM {table} WHERE 1 = 0"
    return _timed(lambda: _store(url, create, width, held))


@contextmanager
def _read(url: URL, table: str) -> Iterator[tuple[int, Iterator[Sequence[Any]]]]:
    if url.get_backend_name() == "sqlite":
        source = sqlite3.connect(str(url.database))
        cursor = source.execute(f"SELECT * FROM {table}")
        yield len(cursor.description), cursor
        source.close()
        return
    with (
        psycopg.connect(_conninfo(url)) as postgres,
        postgres.cursor() as rows,
        rows.copy(f"COPY {table} TO STDOUT") as copy,
    ):
        yield 0, copy.rows()


def _store(url: URL, create: str, width: int, rows: Iterable[Sequence[Any]]) -> None:
    """Create a bare table and store the rows in it, in one transaction."""
    table = create.split()[2]
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database), isolation_level=None)
        connection.execute("BEGIN")
        connection.execute(create)
        marks = ", ".join("?" * width)
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute("COMMIT")
        connection.close()
        return
    with psycopg.connect(_conninfo(url)) as postgres:
        postgres.execute(create.encode())
        with postgres.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def _scratch(url: URL, folder: Path) -> Iterator[URL]:
    """Give an empty database: a new file, or a new database on the server."""
    if url.get_backend_name() == "sqlite":
        path = folder / f"scratch-{secrets.token_hex(3)}.sqlite"
        yield url.set(database=str(path))
        path.unlink()
        return
    name = f"bo_import_bench_{secrets.token_hex(3)}"
    _on_server(url, "CREATE DATABASE {}", name)
    try:
        yield url.set(drivername="postgresql+psycopg", database=name)
    finally:
        _on_server(url, "DROP DATABASE {} WITH (FORCE)", name)


def _conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _on_server(url: URL, statement: str, name: str) -> None:
    with psycopg.connect(_conninfo(url), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


if __name__ == "__main__":
    sys.exit(main())
