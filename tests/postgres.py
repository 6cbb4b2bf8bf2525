"""A real PostgreSQL for the tests: the named one, the local one, or the embedded one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from tests.embedded_postgres import embedded_postgres

LOCAL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@contextmanager
def postgres_database() -> Iterator[str]:
    """Create an empty database, give its URL, and drop it at the end."""
    with _server() as server, sibling_database(server.render_as_string(False)) as url:
        yield url


@contextmanager
def sibling_database(url: str) -> Iterator[str]:
    """Create another empty database on the server of `url`, give its URL, and drop it."""
    server = make_url(url)
    name = f"backoffice_test_{os.getpid()}_{secrets.token_hex(3)}"
    _on_server(server, "CREATE DATABASE {}", name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _on_server(server, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def _server() -> Iterator[URL]:
    """Give TEST_DATABASE_URL if set, else the local server if it answers, else the embedded one."""
    if named := os.environ.get("TEST_DATABASE_URL"):
        yield make_url(named).set(drivername="postgresql+psycopg")
    elif os.environ.get("TEST_POSTGRES") != "embedded" and _answers(make_url(LOCAL)):
        yield make_url(LOCAL)
    else:
        with embedded_postgres() as url:
            yield url


def _conninfo(server: URL) -> str:
    return server.set(drivername="postgresql").render_as_string(hide_password=False)


def _answers(server: URL) -> bool:
    try:
        psycopg.connect(_conninfo(server), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _on_server(server: URL, statement: str, name: str) -> None:
    with psycopg.connect(_conninfo(server), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
