"""Letting accounts in and out by the buttons on their record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import ChangeSet, User
from tests.factories import count, make_login, make_user
from tests.pages import post, words


@pytest.fixture
def admin(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.ADMIN)


def test_a_button_deactivates_and_another_activates_again(
    session: Session, client: FlaskClient, admin: User
) -> None:
    user = make_user(session, Role.SUPPORT, username="ada")
    make_login(session, user)
    record = f"/admin/users/details/?id={user.id}"

    assert "Deactivate ada" in words(client.get(record))
    answer = post(client, "/admin/users/deactivate/", id=user.id, url=record)

    assert answer.location == record
    session.refresh(user)
    assert (user.is_active, user.session_version) == (False, 2)
    assert "ada is deactivated" in words(client.get(record))
    assert "Activate ada" in words(client.get(record))
    post(client, "/admin/users/activate/", id=user.id)
    session.refresh(user)
    assert user.is_active


def test_the_form_leaves_it_alone(session: Session, client: FlaskClient, admin: User) -> None:
    user = make_user(session, Role.SUPPORT)

    post(
        client,
        f"/admin/users/edit/?id={user.id}",
        username=user.username,
        email="new@example.com",
        row_version="1",
    )

    session.refresh(user)
    assert (user.email, user.is_active) == ("new@example.com", True)


def test_ones_own_account_has_no_button_and_the_route_refuses(
    session: Session, client: FlaskClient, admin: User
) -> None:
    record = f"/admin/users/details/?id={admin.id}"

    assert "Deactivate" not in client.get(record).text
    post(client, "/admin/users/deactivate/", id=admin.id)

    assert "You cannot deactivate your own account." in words(client.get(record))
    session.refresh(admin)
    assert (admin.is_active, count(session, ChangeSet)) == (True, 0)


@pytest.mark.parametrize("path", ["activate", "deactivate"])
def test_the_buttons_are_for_administrators_with_the_token(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], path: str
) -> None:
    user = make_user(session, Role.SUPPORT)
    sign_in(Role.MANAGER)
    assert post(client, f"/admin/users/{path}/", id=user.id).status_code == 403
    sign_in(Role.ADMIN)
    assert client.post(f"/admin/users/{path}/", data={"id": user.id}).status_code == 400
    assert post(client, f"/admin/users/{path}/", id="x").status_code == 404

    session.refresh(user)
    assert (user.is_active, count(session, ChangeSet)) == (True, 0)


def test_the_engines_own_assets_are_not_served(session: Session, client: FlaskClient) -> None:
    path = "/admin/static/vendor/jquery.min.js"

    assert client.get(path).status_code in (302, 404)


def test_an_answer_that_refused_nothing_names_no_moment_to_retry(
    session: Session, client: FlaskClient
) -> None:
    for answer in (client.get("/login"), post(client, "/login", "/login", username="x")):
        assert "Retry-After" not in answer.headers
