"""The database: base class, column types, engine behaviour and the one place that commits.

`db` belongs to Flask; `Base`, the types and `transaction()` are what the rest of the code uses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from backoffice.errors import UnavailableError

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class ExactNumeric(TypeDecorator[Decimal]):
    """NUMERIC that is always a finite Decimal, also on SQLite, which stores floating point."""

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    @property
    def python_type(self) -> type[Decimal]:
        """The type of the values."""
        return Decimal

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Let SQLite have the number as float, without SQLAlchemy's warning about it."""
        if dialect.name == "sqlite":
            return sa.Numeric(self.precision, self.scale, asdecimal=False)
        return sa.Numeric(self.precision, self.scale)

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Refuse float and anything that is not finite; round half up to the column's scale."""
        if value is None:
            return None
        if not isinstance(value, Decimal | int):
            raise TypeError("Money is a Decimal, never a float.")
        return quantize(Decimal(value), self.scale)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the Decimal with the column's own number of places."""
        if value is None:
            return None
        return quantize(Decimal(repr(value) if isinstance(value, float) else value), self.scale)


class UtcDateTimeType(TypeDecorator[datetime]):
    """A moment: aware on both sides, stored as UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The type of the values."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; SQLite gets the UTC wall time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("A moment must carry its time zone.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def quantize(value: Decimal, scale: int) -> Decimal:
    """Round half up to `scale` places; raise ValueError for NaN and infinity."""
    if not value.is_finite():
        raise ValueError("Not a finite number.")
    return value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


def utc_now() -> datetime:
    """Return this moment, aware."""
    return datetime.now(UTC)


BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
PrimaryKey = Annotated[int, mapped_column(BigId, sa.Identity(), primary_key=True)]
MONEY_DIGITS = 14
Money = Annotated[Decimal, mapped_column(ExactNumeric(MONEY_DIGITS, 2))]
UnitPrice = Annotated[Decimal, mapped_column(ExactNumeric(MONEY_DIGITS, 4))]
UtcDateTime = Annotated[datetime, mapped_column(UtcDateTimeType())]


class Base(DeclarativeBase):
    """What every table derives from."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)


class Timestamped:
    """When the row was made and last changed."""

    created_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    updated_at: Mapped[UtcDateTime] = mapped_column(default=utc_now, onupdate=utc_now)


def text_enum(enum: type[Any], name: str) -> sa.Enum:
    """Return the column type of a StrEnum: its values as text, kept by a CHECK."""
    return sa.Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


db = SQLAlchemy(metadata=Base.metadata)


# Why nothing may be written now, in a sentence; None as long as it may.
write_refusal: ContextVar[str | None] = ContextVar("write_refusal", default=None)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a use case: commits at the end, rolls back on any exception.

    Starts afresh, so that nothing read before is trusted, and takes SQLite's write lock at once.
    Raises UnavailableError while `write_refusal` says why not, and RuntimeError when one is already
    open or when unsaved changes wait in the session.
    """
    if refusal := write_refusal.get():
        raise UnavailableError(refusal)
    session: Session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("transaction() does not nest: call a function that joins instead.")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("Unsaved changes from outside a transaction() are waiting.")
    session.rollback()
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


@dataclass(slots=True)
class StatementLog:
    """What one request or command sent to the database so far."""

    count: int = 0
    seconds: float = 0.0
    slow: list[tuple[float, str]] = field(default_factory=list)


statement_log: ContextVar[StatementLog | None] = ContextVar("statement_log", default=None)


def watch_engine(engine: Engine, slow_seconds: float) -> None:
    """Count the statements of `engine` and note the slow ones, without their parameters."""

    @event.listens_for(engine, "before_cursor_execute")
    def started(
        conn: Connection, _cursor: Any, _sql: str, _values: Any, _context: Any, _many: bool
    ) -> None:
        conn.info["statement_started"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def finished(
        conn: Connection, _cursor: Any, sql: str, _values: Any, _context: Any, _many: bool
    ) -> None:
        log = statement_log.get()
        if log is None or sql.startswith("BEGIN"):  # which only SQLite is told in words
            return
        seconds = time.perf_counter() - conn.info.get("statement_started", time.perf_counter())
        log.count += 1
        log.seconds += seconds
        if seconds >= slow_seconds:
            log.slow.append((seconds, sql))


def configure_sqlite(engine: Engine) -> None:
    """Give SQLite foreign keys, WAL, patience, and transactions that begin when we say so."""

    @event.listens_for(engine, "connect")
    def connected(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=5000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "")
        connection.exec_driver_sql(f"BEGIN {mode}".strip())


def init_engines(slow_seconds: float) -> None:
    """Prepare every engine of the current app."""
    for engine in db.engines.values():
        if engine.dialect.name == "sqlite":
            configure_sqlite(engine)
        watch_engine(engine, slow_seconds)
