"""Alembic's environment: one transaction per migration, atomic on SQLite too."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy.engine import Connection

from backoffice.db import Base, ExactNumeric, UtcDateTimeType, db


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
    """Migrate the configured database."""
    with db.engine.connect() as plain:
        sqlite = plain.dialect.name == "sqlite"
        connection = plain.execution_options(sqlite_begin="IMMEDIATE") if sqlite else plain
        context.configure(connection=connection, transactional_ddl=True, **options)
        if sqlite:
            # Batch mode copies tables; dropping the old one must not cascade into its children.
            _set_foreign_keys(plain, "OFF")
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            if sqlite:
                connection.rollback()
                _set_foreign_keys(plain, "ON")


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
