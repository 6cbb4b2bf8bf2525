"""Alembic's environment: one migrator at a time, each step a transaction, everything recorded."""

from __future__ import annotations

import random
import time
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
from sqlalchemy.exc import DBAPIError, OperationalError

from backoffice.db import Base, ExactNumeric, UtcDateTimeType, db
from backoffice.errors import UnavailableError
from backoffice.system.schema.drift import read_leftovers
from backoffice.system.schema.history import is_ours
from backoffice.system.schema.locks import one_at_a_time
from backoffice.system.schema.recorder import Recorder

# Each can be given as `flask db upgrade -x name=seconds`.
LIMITS = {"lock_timeout": 3.0, "statement_timeout": 3600.0, "wait": 60.0, "attempts": 5.0}
# Somewhat random, so that the queue behind the lock gets its turn.
PAUSE_SECONDS = (0.5, 2.0)


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


def run_online(options: dict[str, Any], limits: dict[str, float]) -> None:
    """Migrate the configured database; what stands in the way becomes one sentence."""
    try:
        connection = db.engine.connect()
    except OperationalError as error:
        raise CommandError(
            "The database does not answer. Check DATABASE_URL and that the server runs."
        ) from error
    recorder = Recorder(context.script)
    with connection:
        if connection.dialect.name == "sqlite":
            _run_on_sqlite(connection, options, recorder)
        else:
            _run_on_postgresql(connection, options, recorder, limits)


def _run_on_sqlite(connection: Connection, options: dict[str, Any], recorder: Recorder) -> None:
    """Begin at once as the writer, so that a second migration waits for the first."""
    writing = connection.execution_options(sqlite_begin="IMMEDIATE")
    # Batch mode copies tables; dropping the old one must not cascade into its children.
    _set_foreign_keys(connection, "OFF")
    try:
        # One transaction for all of them: between two, another migrator could take the lock.
        _run(writing, options | {"transaction_per_migration": False}, recorder)
    except BaseException as error:
        writing.rollback()
        _record_failure(recorder, writing, error)
        if not isinstance(error, OperationalError) or "locked" not in str(error.orig):
            raise
        raise CommandError(
            "The database is in use by another process. Nothing was changed; try again later."
        ) from error
    finally:
        writing.rollback()
        _set_foreign_keys(connection, "ON")


def _run_on_postgresql(
    connection: Connection, options: dict[str, Any], recorder: Recorder, limits: dict[str, float]
) -> None:
    """Migrate under a lock of our own, patient with long work, impatient with others' locks.

    DDL that waits for a lock makes everybody else wait behind it, so it gives up soon.
    """
    for name in ("lock_timeout", "statement_timeout"):
        milliseconds = str(round(limits[name] * 1000))
        connection.execute(sa.select(sa.func.set_config(name, milliseconds, False)))
    connection.commit()
    try:
        with one_at_a_time(db.engine, limits["wait"], _warn) as guard:
            try:
                _run_patiently(connection, options, recorder, limits)
                _warn_of_leftovers(connection)
            except BaseException as error:
                connection.rollback()
                _record_failure(recorder, guard, error)
                raise
    finally:
        # Not for the pool: the limits above end with the session.
        connection.invalidate()


def _run_patiently(
    connection: Connection, options: dict[str, Any], recorder: Recorder, limits: dict[str, float]
) -> None:
    """Try again when a table was in use: what is done stays done, the rest was rolled back."""
    attempts = round(limits["attempts"])
    for attempt in range(1, attempts + 1):
        try:
            _run(connection, options, recorder)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            connection.rollback()
            in_use = f"A table was in use for more than {limits['lock_timeout']:g} seconds."
            # CREATE INDEX CONCURRENTLY IF NOT EXISTS would take it for the index.
            if any(left.kind == "index" for left in read_leftovers(connection)):
                raise CommandError(f"{in_use} An index is invalid now: flask db-status.") from error
            if attempt == attempts:
                raise CommandError(
                    f"{in_use} The migration was rolled back; try again later."
                ) from error
            pause = random.uniform(*PAUSE_SECONDS)  # noqa: S311  not a secret
            _warn(f"{in_use} Rolled back; trying again ({attempt + 1} of {attempts}).")
            time.sleep(pause)
        else:
            return


def _run(connection: Connection, options: dict[str, Any], recorder: Recorder) -> None:
    def applied(ctx: MigrationContext, step: MigrationInfo, heads: Any, run_args: Any) -> None:  # noqa: ARG001
        recorder.applied(ctx, step)
        _say(step)

    connection.rollback()  # in a transaction that it finds open, Alembic would never commit
    context.configure(
        connection=connection, transactional_ddl=True, on_version_apply=applied, **options
    )
    ctx: Any = context.get_context()
    ctx._migrations_fn = recorder.watch(ctx._migrations_fn)  # noqa: SLF001  a failed step has no other name
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()  # what was written after the last step


def _record_failure(recorder: Recorder, connection: Connection, error: BaseException) -> None:
    if not recorder.has_begun:
        return
    try:
        with connection.begin():
            recorder.failed(connection, error)
    except DBAPIError:
        _warn("The failure could not be recorded in schema_history.")


def _say(step: MigrationInfo) -> None:
    """Print what was done; the log of production is for machines."""
    verb = "stamped" if step.is_stamp else "applied" if step.is_upgrade else "undone"
    for script in step.up_revisions:
        if isinstance(script, Script):
            click.echo(f"{verb} {script.revision}  {script.doc}")


def _warn_of_leftovers(connection: Connection) -> None:
    """Name what is there and does not count: IF NOT EXISTS passes over it."""
    for left in read_leftovers(connection):
        _warn(f"The {left.kind} {left.name} of {left.table} does not count yet: {left.mend}")


def _warn(sentence: str) -> None:
    click.echo(sentence, err=True)


def _set_foreign_keys(connection: Connection, state: str) -> None:
    """Switch them on the driver's own connection: inside a transaction SQLite ignores it."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA foreign_keys={state}")


def _limits() -> dict[str, float]:
    """Return the limits, with those of the command line."""
    given = context.get_x_argument(as_dictionary=True)
    try:
        return LIMITS | {name: float(value) for name, value in given.items() if name in LIMITS}
    except ValueError as error:
        raise CommandError(f"-x takes seconds: {', '.join(LIMITS)}.") from error


def main() -> None:
    """Configure Alembic as Flask-Migrate was told to, and run."""
    extensions: Any = current_app.extensions["migrate"]
    options: dict[str, Any] = {
        "target_metadata": Base.metadata,
        "render_item": render_item,
        "include_name": is_ours,
        **extensions.configure_args,
    }
    if context.is_offline_mode():
        run_offline(options)
        return
    try:
        run_online(options, _limits())
    except UnavailableError as error:
        raise CommandError(str(error)) from error


main()
