"""Signing in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import Role
from backoffice.db import utc_now
from backoffice.models import ChangeSet, LoginSession, User
from backoffice.web.limits import limiter
from tests.factories import PASSWORD, count, make_login, make_user
from tests.pages import post, words


@pytest.fixture(autouse=True)
def fresh_limits(app: Flask) -> Iterator[None]:
    """Each test starts with no failed attempts."""
    with app.app_context():
        limiter.reset()
    yield
    with app.app_context():
        limiter.reset()


def try_to_sign_in(client: FlaskClient, username: str, password: str, **more: str) -> TestResponse:
    return post(client, "/login", "/login", username=username, password=password, **more)


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_staff_may_sign_in(session: Session, client: FlaskClient, role: Role) -> None:
    user = make_user(session, role)

    response = try_to_sign_in(client, user.username.upper(), PASSWORD)

    assert (response.status_code, response.location) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    session.refresh(user)
    assert user.last_login_at is not None


def test_every_other_attempt_is_refused_in_the_same_words(
    session: Session, client: FlaskClient
) -> None:
    make_user(session, Role.SUPPORT, username="right")
    make_user(session, Role.CUSTOMER, username="customer")
    make_user(session, Role.SUPPORT, username="left", is_active=False)
    make_user(session, Role.SUPPORT, username="new", password_hash=None)

    pages = [
        words(try_to_sign_in(client, name, password))
        for name, password in [
            ("right", "wrong password"),
            ("nobody", PASSWORD),
            ("customer", PASSWORD),
            ("left", PASSWORD),
            ("new", PASSWORD),
        ]
    ]

    assert len(set(pages)) == 1
    assert "do not belong to an active member of staff" in pages[0]
    assert client.get("/admin/").status_code == 302
    assert count(session, ChangeSet) == 0


def test_the_form_keeps_the_name_but_never_the_password(
    session: Session, client: FlaskClient
) -> None:
    page = try_to_sign_in(client, "somebody", "my secret").text

    assert 'value="somebody"' in page
    assert "my secret" not in page


def test_signing_in_needs_the_token_of_the_form(session: Session, client: FlaskClient) -> None:
    make_user(session, Role.ADMIN, username="boss")

    response = client.post("/login", data={"username": "boss", "password": PASSWORD})

    assert response.status_code == 400
    assert client.get("/admin/").status_code == 302


def test_too_many_failures_are_stopped_per_name(session: Session, client: FlaskClient) -> None:
    make_user(session, Role.ADMIN, username="boss")
    for _ in range(10):
        assert try_to_sign_in(client, "boss", "wrong").status_code == 422

    assert try_to_sign_in(client, "boss", PASSWORD).status_code == 429


def test_what_is_typed_as_a_name_is_not_logged(
    session: Session, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(11):
        try_to_sign_in(client, "my password", "x")

    assert "exceeded" in caplog.text
    assert "my password" not in caplog.text


def test_nobody_is_signed_in_without_a_record_of_it(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(session, Role.ADMIN, username="boss")
    monkeypatch.setattr("backoffice.services.audit.record", lambda *_args, **_kwargs: 1 / 0)

    assert try_to_sign_in(client, "boss", PASSWORD).status_code == 500

    assert client.get("/admin/").status_code == 302


def test_looking_with_head_answers_as_get_does(session: Session, client: FlaskClient) -> None:
    assert client.head("/login").status_code == 200
    assert client.head("/admin/orders/").location == "/login?next=/admin/orders/"


def test_signing_in_does_not_count_as_a_failure(session: Session, client: FlaskClient) -> None:
    make_user(session, Role.ADMIN, username="boss")
    for _ in range(12):
        assert try_to_sign_in(client, "boss", PASSWORD).status_code == 302
        post(client, "/logout")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/admin/orders/?search=a%20b", "/admin/orders/?search=a%20b"),
        ("https://evil.test/", "/admin/"),
        ("//evil.test/", "/admin/"),
        ("/\\evil.test/", "/admin/"),
        ("http:evil.test/", "/admin/"),
        ("/a\nb", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_after_signing_in_only_local_addresses_are_followed(
    session: Session, client: FlaskClient, target: str, expected: str
) -> None:
    make_user(session, Role.ADMIN, username="boss")

    assert try_to_sign_in(client, "boss", PASSWORD, next=target).location == expected


def test_a_stranger_is_sent_to_sign_in_and_back(session: Session, client: FlaskClient) -> None:
    response = client.get("/admin/orders/?search=x")

    assert response.location == "/login?next=/admin/orders/?search%3Dx"


def test_the_session_is_renewed_at_sign_in(session: Session, client: FlaskClient) -> None:
    make_user(session, Role.ADMIN, username="boss")
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"

    try_to_sign_in(client, "boss", PASSWORD)

    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie.permanent


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    session: Session, client: FlaskClient
) -> None:
    make_user(session, Role.ADMIN, username="boss")

    header = try_to_sign_in(client, "boss", PASSWORD).headers["Set-Cookie"]

    cookie = SimpleCookie(header)["backoffice_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "expires" in cookie


def test_signing_out_ends_the_session(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.ADMIN)

    assert post(client, "/logout").location == "/login"

    assert client.get("/admin/").location == "/login?next=/admin/"


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
def test_signing_out_everywhere_ends_the_sessions_of_all_devices(
    session: Session,
    app: Flask,
    client: FlaskClient,
    sign_in: Callable[[Role], User],
    role: Role,
) -> None:
    user = sign_in(role)
    other = app.test_client()
    with other.session_transaction() as cookie:
        cookie.update(make_login(session, user))
    session.commit()
    assert other.get("/admin/").status_code == 200

    post(client, "/logout-everywhere")

    session.commit()
    assert other.get("/admin/").status_code == 302
    actions = session.scalars(sa.select(ChangeSet.action)).all()
    assert actions == ["user.sign_out_everywhere"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.CUSTOMER}])
def test_a_session_ends_when_its_user_may_no_longer_sign_in(
    session: Session,
    client: FlaskClient,
    sign_in: Callable[[Role], User],
    change: dict[str, object],
) -> None:
    user = sign_in(Role.ADMIN)
    assert client.get("/admin/").status_code == 200

    session.execute(sa.update(User).where(User.id == user.id).values(change))
    session.commit()

    assert client.get("/admin/").status_code == 302


def test_a_session_ends_at_its_absolute_age(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.ADMIN)
    with client.session_transaction() as cookie:
        cookie["signed_in_at"] = 0

    assert client.get("/admin/").status_code == 302
    assert "the session was old" in words(client.get("/login"))


def test_a_session_ends_when_it_is_idle(
    session: Session, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(session, Role.ADMIN, username="boss")
    try_to_sign_in(client, "boss", PASSWORD)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 9_999_999_999)

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("claim", ["", "1", "1:", ":1", "x:y", "1:1:1", "9" * 30 + ":1"])
def test_a_senseless_claim_is_nobody(session: Session, client: FlaskClient, claim: str) -> None:
    with client.session_transaction() as cookie:
        cookie.update(_user_id=claim, login_token="x")

    assert client.get("/admin/").status_code == 302


def test_ending_a_session_signs_its_browser_out(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.ADMIN)
    assert client.get("/admin/").status_code == 200

    session.execute(sa.update(LoginSession).values(ended_at=utc_now()))
    session.commit()

    assert client.get("/admin/").location == "/login?next=/admin/"


@pytest.mark.parametrize("token", [None, "", "another", 5])
def test_a_cookie_without_the_token_is_nobody(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], token: object
) -> None:
    sign_in(Role.ADMIN)
    with client.session_transaction() as cookie:
        cookie["login_token"] = token

    assert client.get("/admin/").status_code == 302


def test_a_token_is_worth_nothing_for_another_account(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.SUPPORT)
    admin = make_user(session, Role.ADMIN)
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{admin.id}:{admin.session_version}"

    assert client.get("/admin/").status_code == 302


def test_signing_in_and_out_begins_and_ends_a_session(
    session: Session, client: FlaskClient
) -> None:
    make_user(session, Role.ADMIN, username="boss")

    try_to_sign_in(client, "boss", PASSWORD)
    row = session.scalars(sa.select(LoginSession)).one()
    assert (row.address, row.ended_at) == ("127.0.0.1", None)
    post(client, "/logout")

    session.refresh(row)
    assert row.ended_at is not None
    actions = session.scalars(sa.select(ChangeSet.action).order_by(ChangeSet.id)).all()
    assert actions == ["user.login", "user.logout"]


@pytest.mark.parametrize(("minutes", "noted"), [(4, False), (6, True)])
def test_the_use_of_a_session_is_noted_every_five_minutes(
    session: Session, client: FlaskClient, minutes: int, noted: bool
) -> None:
    before = utc_now() - timedelta(minutes=minutes)
    user = make_user(session, Role.ADMIN)
    with client.session_transaction() as cookie:
        cookie.update(make_login(session, user, last_seen_at=before))

    assert client.get("/admin/").status_code == 200

    seen = session.scalars(sa.select(LoginSession.last_seen_at)).one()
    assert (seen > before) is noted
