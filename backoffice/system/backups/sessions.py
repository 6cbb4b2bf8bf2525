"""Connections to PostgreSQL that wait as long as it takes, and databases that do not outlive us."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL

from backoffice.errors import UnavailableError

SCRATCH = re.compile(r"backoffice_scratch_[0-9a-f]{12}")
# So that a row is the same text whatever the server or the role prefers.
_SETTINGS = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_SECRET = {"password", "sslpassword"}


def parameters(url: URL, database: str | None = None) -> dict[str, Any]:
    """Return the URL as libpq's parameters."""
    named = url.translate_connect_args(username="user", database="dbname")
    query = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in url.query.items()
    }
    chosen = {"dbname": database} if database else {}
    return {
        "connect_timeout": 10,
        **named,
        **query,
        "application_name": "backoffice-backup",
        **chosen,
    }


def conninfo(url: URL, database: str | None = None) -> str:
    """Return what a command line may say: everything but the passwords."""
    shown = {key: value for key, value in parameters(url, database).items() if key not in _SECRET}
    return make_conninfo("", **shown)


def password(url: URL) -> dict[str, str]:
    """Return the password as the environment variable in which programs look for it."""
    return {"PGPASSWORD": url.password} if url.password else {}


@contextmanager
def connect(url: URL, database: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection without time limits; what the server refuses becomes a sentence."""
    try:
        with psycopg.connect(autocommit=True, **parameters(url, database)) as connection:
            for name, value in _SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            yield connection
    except psycopg.Error as error:
        raise UnavailableError(_sentence(error)) from error


@contextmanager
def maintenance(url: URL) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the database beside which others are made, renamed and dropped."""
    with connect(url, "postgres") as connection:
        yield connection


@contextmanager
def scratch_database(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Make an empty database and give its name; it is dropped at the end unless it was renamed.

    A lock of this session says that it is in use; those that killed commands left have none.
    """
    _sweep(connection)
    name = f"backoffice_scratch_{secrets.token_hex(6)}"
    connection.execute(_LOCK, (name,))
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    )
    try:
        yield name
    finally:
        _drop(connection, name)


def _sweep(connection: psycopg.Connection[Any]) -> None:
    names = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall()
    for (name,) in names:
        if SCRATCH.fullmatch(name) and connection.execute(_TRY_LOCK, (name,)).fetchone() == (True,):
            _drop(connection, name)
            connection.execute(_UNLOCK, (name,))


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


_LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


def _sentence(error: psycopg.Error) -> str:
    match error:
        case errors.InsufficientPrivilege():
            return (
                "The role of the database URL may not do this. Making databases takes CREATEDB; "
                "reading all tables takes pg_read_all_data."
            )
        case errors.DuplicateDatabase():
            return "There is a database of that name already. Nothing was changed."
        case errors.ObjectInUse():
            return "The database is in use. Stop the application and try again."
        case errors.InvalidCatalogName():
            return "There is no database of that name on this server."
        case errors.DiskFull():
            return "The disk of the database server is full."
        case psycopg.OperationalError() if error.sqlstate is None:
            return "The database does not answer. Check DATABASE_URL and that the server runs."
        case _:
            return f"The database server refused the work ({type(error).__name__})."
