"""The temporary tables of an import: lines as read, and the orders and articles they make.

They live in the caller's transaction and on its connection, and hold what Python must not:
a file may have more lines than memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult, Result
from sqlalchemy.orm import Session

from backoffice.db import UtcDateTimeType, utc_now
from backoffice.errors import UnavailableError
from backoffice.formats.sale_lines import SaleLine

_DROP = (
    "DROP TABLE import_lines",
    "DROP TABLE import_orders",
    "DROP TABLE import_credits",
    "DROP TABLE import_products",
    "DROP TABLE import_categories",
)
_ANALYZE = {
    "import_lines": "ANALYZE import_lines",
    "import_orders": "ANALYZE import_orders",
    "import_credits": "ANALYZE import_credits",
    "import_products": "ANALYZE import_products",
}
_COPY_LINES = """
COPY import_lines (line_no, order_number, sku, product_name, quantity, price_units, line_cents,
                   placed_at, placed_on, customer, country, category) FROM STDIN
"""
_INSERT_LINE = "INSERT INTO import_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Prices are whole ten-thousandths and amounts whole cents, so that both databases add exactly.
_CREATE = """
CREATE TEMPORARY TABLE import_lines (
    line_no {line_no}, order_number TEXT NOT NULL, sku TEXT NOT NULL, product_name TEXT,
    quantity BIGINT NOT NULL, price_units BIGINT NOT NULL, line_cents BIGINT NOT NULL,
    placed_at {moment} NOT NULL, placed_on DATE NOT NULL, customer TEXT, country TEXT, category TEXT
);
CREATE TEMPORARY TABLE import_orders (
    number TEXT NOT NULL PRIMARY KEY, first_line BIGINT NOT NULL, line_count BIGINT NOT NULL,
    placed_at {moment} NOT NULL, placed_on DATE NOT NULL, customer TEXT, other_customer TEXT,
    total_cents {sum} NOT NULL, is_credit BOOLEAN NOT NULL, document_id BIGINT, reason TEXT
);
CREATE TEMPORARY TABLE import_credits (
    first_line BIGINT NOT NULL PRIMARY KEY, number TEXT NOT NULL, sku TEXT NOT NULL,
    quantity BIGINT NOT NULL, cents {sum} NOT NULL, price_units BIGINT NOT NULL,
    order_id BIGINT, order_item_id BIGINT
);
CREATE TEMPORARY TABLE import_products (
    sku TEXT NOT NULL PRIMARY KEY, name_line BIGINT, category_line BIGINT,
    latest_at {moment} NOT NULL, product_id BIGINT, name TEXT, category_id BIGINT,
    category_path TEXT
);
CREATE TEMPORARY TABLE import_categories (name TEXT NOT NULL PRIMARY KEY, category_id BIGINT)
"""
_TYPES = {
    "sqlite": {"line_no": "INTEGER PRIMARY KEY", "moment": "TEXT", "sum": "BIGINT"},
    "postgresql": {"line_no": "BIGINT PRIMARY KEY", "moment": "TIMESTAMP", "sum": "NUMERIC"},
}
_IMPORT_LOCK = 7_203_114_001
_LOCK_WAIT_SECONDS = 5  # as long as SQLite waits for its write lock


def prepare(session: Session) -> None:
    """Create the temporary tables; on PostgreSQL, see to it that this import is the only one.

    SQLite's write lock, which transaction() takes, does the same there.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        _prepare_postgresql(session)
    else:
        session.execute(sa.text("PRAGMA cache_size = -65536"))
    for statement in _CREATE.format(**_TYPES[dialect]).split(";"):
        session.execute(sa.text(statement))


def _prepare_postgresql(session: Session) -> None:
    _wait_for_turn(session)
    # One statement may well work on the whole file; SET LOCAL ends with the transaction.
    session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    session.execute(sa.text("SET LOCAL work_mem = '64MB'"))
    session.execute(sa.text("SET LOCAL jit = off"))
    session.execute(sa.text("SET LOCAL default_statistics_target = 10"))
    # Without it the server works on for a client that was killed, and holds the lock meanwhile.
    session.execute(sa.text("SET LOCAL client_connection_check_interval = '1s'"))


def _wait_for_turn(session: Session) -> None:
    lock = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
    give_up = time.monotonic() + _LOCK_WAIT_SECONDS
    while not session.scalar(lock, {"key": _IMPORT_LOCK}):
        if time.monotonic() > give_up:
            raise UnavailableError("Another import is running. Try again when it has finished.")
        time.sleep(0.2)


def load(session: Session, lines: Iterator[SaleLine]) -> None:
    """Fill `import_lines` while the lines are being read."""
    driver: Any = session.connection().connection.driver_connection
    cursor = driver.cursor()
    try:
        if session.get_bind().dialect.name == "postgresql":
            with cursor.copy(_COPY_LINES) as copy:
                _write_rows(copy.write_row, lines)
        else:
            cursor.executemany(_INSERT_LINE, lines)
    except session.get_bind().dialect.loaded_dbapi.Error as error:
        # The driver was called directly, so that SQLAlchemy has not wrapped what it raises.
        raise sa.exc.DBAPIError(_COPY_LINES, None, error) from error
    finally:
        cursor.close()
    analyze(session, "import_lines")


def _write_rows(write: Any, lines: Iterable[SaleLine]) -> None:
    for line in lines:
        write(line)


def analyze(session: Session, table: str) -> None:
    """Tell PostgreSQL's planner how large a temporary table has become."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(_ANALYZE[table]))


def drop(session: Session) -> None:
    """Remove the temporary tables, since the connection goes back to the pool."""
    for statement in _DROP:
        session.execute(sa.text(statement))


def run(session: Session, statement: str, **values: Any) -> int:
    """Run a statement on the staged rows; `{placed_at}` in it is their moment, `:now` is now."""
    clause = sa.text(statement.replace("{placed_at}", placed_at(session)))
    if ":now" in statement:
        now = sa.bindparam("now", utc_now(), type_=UtcDateTimeType())
        clause = clause.bindparams(now)
    return _rows(session.execute(clause, values))


def placed_at(session: Session) -> str:
    """Return the staged moment as a column takes it."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return "s.placed_at AT TIME ZONE 'UTC'" if is_postgresql else "s.placed_at"


def _rows(result: Result[Any]) -> int:
    return cast("CursorResult[Any]", result).rowcount
