"""A person's own page: settings that hold, sessions that end, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role, staff_actor
from backoffice.models import ChangeSet, LoginSession, Preference, User
from backoffice.services.preferences import preferences_of, set_preference
from tests.factories import count, make_login, make_order, make_product, make_user
from tests.pages import post, words

SignIn = Callable[[Role], User]
PROFILE = "/admin/profile/"


def open_count(session: Session) -> int:
    open_ones = sa.select(sa.func.count()).where(LoginSession.ended_at.is_(None))
    return session.scalar(open_ones) or 0


def test_settings_are_kept_and_shape_every_page(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = sign_in(Role.SUPPORT)
    assert '<html lang="en">' in client.get("/admin/").text

    answer = post(
        client,
        f"{PROFILE}settings",
        theme="dark",
        density="compact",
        time_zone="America/New_York",
    )

    assert answer.location == PROFILE
    expected = '<html lang="en" data-bs-theme="dark" data-density="compact">'
    for page in ("/admin/", "/admin/orders/", PROFILE):
        assert expected in client.get(page).text
    assert preferences_of(session, user.id) == {
        "theme": "dark",
        "density": "compact",
        "time_zone": "America/New_York",
    }
    assert count(session, ChangeSet) == 0


def test_choosing_the_theme_in_the_menu_leaves_the_rest_and_returns(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = sign_in(Role.SUPPORT)
    post(client, f"{PROFILE}settings", theme="dark", density="compact")

    answer = post(client, f"{PROFILE}settings", theme="", url="/admin/orders/?status=paid")

    assert answer.location == "/admin/orders/?status=paid"
    assert preferences_of(session, user.id) == {"density": "compact"}


def test_moments_are_shown_in_the_viewers_zone(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    line = (make_product(session), 1, Decimal(5))
    order = make_order(session, line, placed_at=datetime(2026, 1, 15, 2, 30, tzinfo=UTC))
    sign_in(Role.SUPPORT)
    page = f"/admin/orders/details/?id={order.id}"
    assert ">2026-01-15 02:30</time>" in client.get(page).text

    post(client, f"{PROFILE}settings", time_zone="America/New_York")

    text = client.get(page).text
    assert ">2026-01-14 21:30</time>" in text
    assert "Wednesday 14 January 2026 21:30:00 EST" in text


@pytest.mark.parametrize(
    "values",
    [
        {"theme": "pink"},
        {"density": "x" * 9_000},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "Mars/Olympus"},
        {"theme": "dark", "time_zone": "no"},
    ],
)
def test_a_setting_that_does_not_exist_is_refused(
    session: Session, client: FlaskClient, sign_in: SignIn, values: dict[str, str]
) -> None:
    sign_in(Role.SUPPORT)

    assert post(client, f"{PROFILE}settings", **values).status_code == 400

    assert count(session, Preference) == 0


def test_a_zone_that_is_no_more_falls_back_to_the_shops(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = sign_in(Role.SUPPORT)
    set_preference(staff_actor(user.id, user.username, user.role), "time_zone", "Mars/Olympus")

    assert client.get(PROFILE).status_code == 200


def test_ones_own_sessions_are_listed_and_nobody_elses(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = sign_in(Role.SUPPORT)
    firefox = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/130.0"
    make_login(session, user, address="203.0.113.9", user_agent=firefox)
    make_login(session, make_user(session, Role.ADMIN), address="198.51.100.7")

    page = words(client.get(PROFILE))

    assert "Firefox on Windows 203.0.113.9" in page
    assert "198.51.100.7" not in page
    assert page.count("this session") == 1


def test_one_ends_another_of_ones_own_sessions(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = sign_in(Role.SUPPORT)
    make_login(session, user)
    other = session.scalars(sa.select(LoginSession.id).order_by(LoginSession.id.desc())).first()

    answer = post(client, f"{PROFILE}sessions/end", id=other)

    assert answer.location == PROFILE
    assert open_count(session) == 1
    assert "That session has ended." in words(client.get(PROFILE))
    assert session.scalars(sa.select(ChangeSet.action)).all() == ["user.end_session"]


def test_nobody_ends_the_session_of_another(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)
    make_login(session, make_user(session, Role.SUPPORT))
    other = session.scalars(sa.select(LoginSession.id).order_by(LoginSession.id.desc())).first()

    for wrong in (other, "", "x", "-1", "9" * 30):
        assert post(client, f"{PROFILE}sessions/end", id=wrong).status_code == 404

    assert (open_count(session), count(session, ChangeSet)) == (2, 0)


@pytest.mark.parametrize("path", ["settings", "sessions/end"])
def test_nothing_is_done_without_the_token(
    session: Session, client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    sign_in(Role.SUPPORT)

    assert client.post(f"{PROFILE}{path}", data={"theme": "dark", "id": "1"}).status_code == 400

    assert (count(session, Preference), open_count(session)) == (0, 1)


def test_an_error_page_keeps_the_theme_and_leads_out(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.SUPPORT)

    page = client.get("/admin/orders/details/?id=999")

    assert page.status_code == 404
    assert "Go to the first page" in words(page)
    assert "Search" in words(page)
