"""Every test in this folder runs twice: on SQLite and on a real PostgreSQL.

`session` isolates a test in an outer transaction that is rolled back. A test that needs several
connections (threads, the read-only connections of reports, a second process) takes `committed`
instead: its commits are real, and every table is emptied afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Actor, Role, Source, command_actor
from backoffice.app import create_app
from backoffice.db import db
from backoffice.models import User
from config import TestingConfig
from tests.cleaning import empty_tables
from tests.factories import make_login, make_user
from tests.postgres import postgres_database, sibling_database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("sqlite") / "backoffice.sqlite"
        yield f"sqlite:///{path}"
    else:
        with postgres_database() as url:
            yield url


@pytest.fixture(scope="session")
def migrated_app(database_url: str) -> Iterator[Flask]:
    """The application on a database at head."""
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=database_url))
    app.test_client_class = _Client
    app.test_cli_runner_class = _Runner
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the same kind as the shared one."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        with sibling_database(database_url) as url:
            yield url


@pytest.fixture
def empty_app(empty_url: str) -> Iterator[Flask]:
    """The application on an empty database, with its context pushed."""
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=empty_url))
    with app.app_context():
        yield app
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def app(migrated_app: Flask) -> Flask:
    return migrated_app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The session of the test, in an outer transaction that is rolled back."""
    with app.app_context():
        engine = db.engines[None]
        connection = engine.connect()
        outer = connection.begin()
        engines = cast("dict[str | None, Any]", db.engines)
        engines[None] = connection  # a connection serves as well
        db.session.configure(join_transaction_mode="create_savepoint")
        try:
            yield db.session()
        finally:
            db.session.remove()
            engines[None] = engine
            outer.rollback()
            connection.close()


@pytest.fixture
def committed(app: Flask) -> Iterator[Session]:
    """The session of a test whose commits are real; every table is emptied afterwards."""
    with app.app_context():
        try:
            yield db.session()
        finally:
            db.session.remove()
            empty_tables()


def _apart(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call outside of the test's own app context, as a server or a shell would."""
    return Context().run(function, *args, **kwargs)


def _let_go() -> None:
    if has_app_context():
        db.session.commit()


class _Client(FlaskClient):
    """A client that first lets go of what the test's own session holds."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        _let_go()
        return _apart(super().open, *args, **kwargs)


class _Runner(FlaskCliRunner):
    """A command runner that first lets go of what the test's own session holds."""

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        _let_go()
        return _apart(super().invoke, *args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session; use it together with `session` or `committed`."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """The `flask` command; use it together with `session` or `committed`."""
    return app.test_cli_runner()


@pytest.fixture
def shell() -> Actor:
    """A person at the command line."""
    return command_actor("tester")


@pytest.fixture
def actor_of() -> Callable[[Role], Actor]:
    """Return the actor of a role that has no account."""

    def build(role: Role) -> Actor:
        return Actor(None, role.value, GRANTS[role], Source.FORM, role)

    return build


@pytest.fixture
def sign_in(app: Flask, client: FlaskClient) -> Callable[[Role], User]:
    """Return a function that makes a member of staff and signs the client in as them."""

    def enter(role: Role) -> User:
        user = make_user(db.session(), role)
        with client.session_transaction() as cookie:
            cookie.update(make_login(db.session(), user), _fresh=True)
        return user

    return enter
