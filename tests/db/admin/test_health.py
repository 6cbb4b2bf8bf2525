"""The pages of the operators: open to them, to nobody else, and changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.db import db
from backoffice.models import User
from tests.factories import make_login, make_user

SignIn = Callable[[Role], User]
PAGES = ("/admin/health/", "/admin/migrations/")
OPERATORS = (Role.OPERATOR, Role.ADMIN)


@pytest.fixture
def operator(empty_app: Flask) -> Iterator[FlaskClient]:
    """An operator in front of a database that the test may spoil."""
    upgrade()
    user = make_user(db.session(), Role.OPERATOR)
    client = empty_app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(make_login(db.session(), user))
    db.session.remove()
    yield client
    db.session.remove()


def execute(*statements: str) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_only_operators_see_them(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role, page: str
) -> None:
    sign_in(role)

    assert client.get(page).status_code == (200 if role in OPERATORS else 403)


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_sign_in(session: Session, client: FlaskClient, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 302
    assert response.location.startswith("/login")


def test_the_health_page_says_what_was_found(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.OPERATOR)

    page = client.get("/admin/health/").text

    assert "The database answers." in page
    assert "The database schema is the one of this code." in page


def test_the_health_page_survives_a_schema_of_another_version(operator: FlaskClient) -> None:
    execute("UPDATE alembic_version SET version_num = 'f00d'")

    response = operator.get("/admin/health/")

    assert response.status_code == 200
    assert "Something has failed." in response.text
