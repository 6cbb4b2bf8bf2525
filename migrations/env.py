"""Alembic's environment: one transaction per migration, atomic on SQLite too, one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from alembic.util import CommandError
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from backoffice.db import Base, ExactNumeric, UtcDateTimeType, db

# Advisory locks belong to one database, so the key need not name it.
LOCK_KEY = 0x6261636B_6F666669
LOCK_TIMEOUT_SECONDS = 3
MIGRATION_WAIT_SECONDS = 60


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Write our column types as the plain SQL types they are, so that migrations stand alone."""
    if kind != "type":
        return False
    if isinstance(item, ExactNumeric):
        return f"sa.Numeric({item.precision}, {item.scale})"
    if isinstance(item, UtcDateTimeType):
        return "sa.DateTime(timezone=True)"
    return False


def run_offline(options: dict[str, Any]) -> None:
    """Print the SQL instead of running it."""
    context.configure(
        dialect_name=db.engine.dialect.name,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online(options: dict[str, Any]) -> None:
    """Migrate the configured database; what stands in the way becomes one sentence."""
    try:
        connection = db.engine.connect()
    except OperationalError as error:
        raise CommandError(
            "The database does not answer. Check DATABASE_URL and that the server runs."
        ) from error
    with connection:
        if connection.dialect.name == "sqlite":
            _run_on_sqlite(connection, options)
        else:
            _run_on_postgresql(connection, options)


def _run_on_sqlite(connection: Connection, options: dict[str, Any]) -> None:
    """Begin at once as the writer, so that a second migration waits for the first."""
    writing = connection.execution_options(sqlite_begin="IMMEDIATE")
    # Batch mode copies tables; dropping the old one must not cascade into its children.
    _set_foreign_keys(connection, "OFF")
    try:
        # One transaction for all of them: between two, another migrator could take the lock.
        _run(writing, options | {"transaction_per_migration": False})
    except OperationalError as error:
        if "locked" not in str(error.orig):
            raise
        raise CommandError(
            "The database is in use by another process. Nothing was changed; try again later."
        ) from error
    finally:
        writing.rollback()
        _set_foreign_keys(connection, "ON")


def _run_on_postgresql(connection: Connection, options: dict[str, Any]) -> None:
    """Migrate under a lock of our own, patient with long work, impatient with others' locks.

    DDL that waits for a lock makes everybody else wait behind it, so it gives up soon.
    """
    # Not for the pool: these settings and the lock end with the session.
    connection.detach()
    connection.exec_driver_sql("SET statement_timeout = '1h'")
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
    connection.commit()
    with _one_at_a_time():
        try:
            _run(connection, options)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            raise CommandError(
                f"A table was in use for more than {LOCK_TIMEOUT_SECONDS} seconds. "
                "The migration was rolled back; try again later."
            ) from error


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock on this database's schema, on a connection of its own.

    It polls: a waiting statement would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
    """
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.detach()
        until = time.monotonic() + MIGRATION_WAIT_SECONDS
        while not guard.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
            if time.monotonic() > until:
                raise CommandError("Another migration is running. Nothing was changed.")
            time.sleep(0.2)
        yield


def _run(connection: Connection, options: dict[str, Any]) -> None:
    context.configure(
        connection=connection, transactional_ddl=True, on_version_apply=_say, **options
    )
    with context.begin_transaction():
        context.run_migrations()


def _say(ctx: MigrationContext, step: MigrationInfo, heads: Any, run_args: Any) -> None:  # noqa: ARG001
    """Print what was done; the log of production is for machines."""
    verb = "stamped" if step.is_stamp else "applied" if step.is_upgrade else "undone"
    for script in step.up_revisions:
        if isinstance(script, Script):
            click.echo(f"{verb} {script.revision}  {script.doc}")


def _set_foreign_keys(connection: Connection, state: str) -> None:
    """Switch them on the driver's own connection: inside a transaction SQLite ignores it."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA foreign_keys={state}")


def main() -> None:
    """Configure Alembic as Flask-Migrate was told to, and run."""
    extensions: Any = current_app.extensions["migrate"]
    options: dict[str, Any] = {
        "target_metadata": Base.metadata,
        "render_item": render_item,
        **extensions.configure_args,
    }
    if context.is_offline_mode():
        run_offline(options)
    else:
        run_online(options)


main()
