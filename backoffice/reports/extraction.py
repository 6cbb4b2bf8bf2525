"""Rows on their way out of the house: one statement, one snapshot, in constant memory.

PostgreSQL makes the CSV itself (`COPY (SELECT …) TO STDOUT`), which is several times as fast as
Python; everything else goes through a cursor on the server. The connection is one of its own,
cannot write, and is closed when the reader stops, at the end or before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from backoffice.db import UtcDateTimeType
from backoffice.errors import QueryLimitError, UnavailableError
from backoffice.formats.cells import FORMULA_STARTS
from backoffice.formats.csv_export import csv_chunks, csv_line

SECONDS = 900
_ROWS_A_FETCH = 2000
_PIECE_BYTES = 65_536
_INSTRUCTIONS_BETWEEN_LOOKS_AT_THE_CLOCK = 10_000
_TOO_LONG = "The export took longer than it may and was stopped. Narrow the list first."
Statement = tuple[str, Any]


class Extract:
    """The rows of one statement, as of one moment; read them once, in one of the ways."""

    def __init__(
        self, connection: Connection, statement: sa.Select[Any], max_rows: int, deadline: float
    ) -> None:
        self._connection = connection
        self._statement = statement.limit(max_rows)
        self._deadline = deadline
        found = sa.select(sa.func.count()).select_from(
            statement.with_only_columns(sa.literal(1), maintain_column_froms=True)
            .order_by(None)
            .limit(max_rows + 1)
            .subquery()
        )
        count = connection.execute(found).scalar_one()
        self.row_count: int = min(count, max_rows)
        self.is_cut: bool = count > max_rows
        self.names: list[str] = list(statement.selected_columns.keys())

    def rows(self) -> Iterator[Sequence[Any]]:
        """Yield the rows; raises QueryLimitError when reading takes too long."""
        result = self._connection.execute(
            self._statement,
            execution_options={"stream_results": True, "yield_per": _ROWS_A_FETCH},
        )
        for rows in result.partitions():
            if time.monotonic() > self._deadline:
                raise QueryLimitError(_TOO_LONG)
            yield from rows

    def csv(self) -> Iterator[bytes]:
        """Yield the rows as CSV with a header: by the database where it can."""
        if self._connection.dialect.name == "postgresql":
            yield from self._copied()
            return
        yield csv_line(self.names).encode()
        yield from csv_chunks(self.rows())

    def _copied(self) -> Iterator[bytes]:
        columns = [_as_csv_text(column) for column in self._statement.selected_columns]
        sql, values = _compiled(self._connection, self._statement.with_only_columns(*columns))
        driver: Any = self._connection.connection.driver_connection
        copy_out = f"COPY ({sql}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
        # psycopg merges the values in, quoted by libpq: COPY takes no parameters of its own.
        with driver.cursor() as cursor, cursor.copy(copy_out, values) as lines:
            yield csv_line(self.names).encode()
            yield from _joined(lines)


class Extractor:
    """Reads over an engine of `open_engine`; at most `concurrency` readers at once."""

    def __init__(self, engine: Engine, *, concurrency: int, timeout_s: float = SECONDS) -> None:
        self._engine = engine
        self._slots = threading.BoundedSemaphore(concurrency)
        self._timeout_s = timeout_s
        event.listen(engine, "do_execute", _caught)

    @contextmanager
    def open(self, statement: sa.Select[Any], max_rows: int) -> Iterator[Extract]:
        """Give the rows of a SELECT of columns; those beyond `max_rows` stay where they are.

        Raises UnavailableError when all slots are taken, QueryLimitError when counting them
        takes too long.
        """
        if not self._slots.acquire(blocking=False):
            raise UnavailableError("Other exports are running. Try again when they are done.")
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._engine.connect() as connection:
                _begin_snapshot(connection, self._timeout_s, deadline)
                yield _counted(connection, statement, max_rows, deadline)
        finally:
            self._slots.release()


def _counted(
    connection: Connection, statement: sa.Select[Any], max_rows: int, deadline: float
) -> Extract:
    try:
        return Extract(connection, statement, max_rows, deadline)
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None)
        if code == "57014" or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            raise QueryLimitError(_TOO_LONG) from error
        raise


def _begin_snapshot(connection: Connection, timeout_s: float, deadline: float) -> None:
    """Begin a transaction in which everything is as of now, and nothing can be written."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(
            lambda: time.monotonic() > deadline, _INSTRUCTIONS_BETWEEN_LOOKS_AT_THE_CLOCK
        )
        connection.exec_driver_sql("BEGIN")
        return
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    # A reader who stops reading must not hold the snapshot for ever, either.
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(sa.select(sa.func.set_config(name, f"{timeout_s * 1000:.0f}", True)))
    for name, value in (("cursor_tuple_fraction", "1"), ("datestyle", "ISO")):
        connection.execute(sa.select(sa.func.set_config(name, value, True)))


def _as_csv_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return what makes PostgreSQL write the cell as `csv_chunks` does."""
    kind = column.type
    if isinstance(kind, UtcDateTimeType):
        text = sa.func.replace(sa.cast(column, sa.Text), " ", "T")
        return sa.func.replace(text, "+00", "Z").label(column.key)
    if isinstance(kind, sa.Boolean):
        return sa.cast(column, sa.Text).label(column.key)
    if isinstance(kind, sa.JSON):
        column = sa.cast(column, sa.Text)
    elif isinstance(kind, sa.Enum) or not isinstance(kind, sa.String):
        return column
    starts = [ord(character) for character in FORMULA_STARTS]
    is_formula = sa.func.ascii(column).in_(starts)
    return sa.case((is_formula, "'" + sa.cast(column, sa.Text)), else_=column).label(column.key)


def _compiled(connection: Connection, statement: sa.Select[Any]) -> Statement:
    """Return the statement and its values as they would have gone to the driver."""
    caught: list[Statement] = []
    connection.execute(statement, execution_options={"caught": caught}).close()
    return caught[0]


def _caught(_cursor: Any, sql: str, values: Any, context: Any) -> bool:
    """Keep a statement that was only meant to be compiled; True says that it was dealt with."""
    caught: list[Statement] | None = context.execution_options.get("caught")
    if caught is None:
        return False
    caught.append((sql, values))
    return True


def _joined(lines: Any) -> Iterator[bytes]:
    """Yield the lines in pieces of about 64 kB: one write of the server for many of them."""
    pieces: list[bytes] = []
    size = 0
    for line in lines:
        pieces.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)
