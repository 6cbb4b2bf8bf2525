"""How an export of orders compares with COPY of the same columns: speed, first byte, memory.

    python bench/export.py [--database-url URL] [--orders 1000000] [--rounds 3]

The floor is `COPY (SELECT …) TO STDOUT (FORMAT csv)` of the same columns in the same order, read by
psycopg and thrown away. Both are measured in turn in one process, the best of each counting. Memory
is the most that this process holds while it sends, above what it held just before. Exits with 1
when the CSV is slower than half the speed of COPY, its first byte later than 100 ms, or the memory
above 20 MB.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psycopg
from flask.testing import FlaskClient
from scratch import conninfo, options, shop, signed_in
from sqlalchemy.engine import make_url

from backoffice.db import db

COLUMNS = ("number", "placed_at", "email", "country", "status", "total_amount", "currency")
LIMITS = {"ratio": 2.0, "first_ms": 100.0, "megabytes": 20.0}


class Run(NamedTuple):
    """One download: milliseconds to the first byte, seconds to the last, bytes, and growth."""

    first_ms: float
    seconds: float
    size: int
    megabytes: float = 0


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with shop(given.database_url, given.orders) as app:
        app.config["EXPORT_MAX_ROWS"] = given.orders
        client = signed_in(app)
        url = conninfo(make_url(db.engine.url))
        _download(client, "csv", "&search=customer1@example.com")
        _download(client, "xlsx", "&search=customer1@example.com")
        turns = [(_copy(url), _download(client, "csv")) for _ in range(given.rounds)]
        others = {form: _download(client, form) for form in ("jsonl", "xlsx")}
    floor = min(copy.seconds for copy, _ in turns)
    csv = Run(*map(min, zip(*(run for _, run in turns), strict=True)))
    grown = max(run.megabytes for run in (*(run for _, run in turns), *others.values()))
    ratio = csv.seconds / floor
    print(f"COPY  {floor:6.2f} s")
    for form, run in {"csv": csv, **others}.items():
        print(
            f"{form:5} {run.seconds:6.2f} s, first byte {run.first_ms:4.0f} ms, "
            f"{run.size / 1e6:.0f} MB, {given.orders / run.seconds:,.0f} rows/s"
        )
    print(f"CSV takes {ratio:.2f} × COPY (limit {LIMITS['ratio']:g})")
    print(f"memory grew by {grown:.1f} MB at most (limit {LIMITS['megabytes']:g})")
    found = {"ratio": ratio, "first_ms": csv.first_ms, "megabytes": grown}
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


def _held() -> float:
    """Return the megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _copy(url: str) -> Run:
    """Time COPY of the columns in the list's order."""
    statement = f"COPY (SELECT {', '.join(COLUMNS)} FROM orders ORDER BY placed_at DESC, id DESC)"
    started = time.perf_counter()
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"{statement} TO STDOUT (FORMAT csv)".encode()) as lines,
    ):
        size = sum(len(line) for line in lines)
    return Run(0, time.perf_counter() - started, size)


def _download(client: FlaskClient, form: str, more: str = "") -> Run:
    """Download as a browser does, piece by piece, and keep nothing."""
    columns = "".join(f"&columns={name}" for name in COLUMNS)
    before = most = _held()
    started = time.perf_counter()
    with client.get(f"/admin/orders/export.{form}?sort=-placed_at{columns}{more}") as response:
        if response.status_code != 200:
            raise SystemExit(f"The export was answered with {response.status_code}.")
        pieces = response.iter_encoded()
        size = len(next(pieces))
        first_ms = (time.perf_counter() - started) * 1000
        for number, piece in enumerate(pieces):
            size += len(piece)
            if number % 16 == 0:
                most = max(most, _held())
    return Run(first_ms, time.perf_counter() - started, size, most - before)


if __name__ == "__main__":
    sys.exit(main())
