"""What belongs to a record is edited in its form, and saved with it or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import Change, ChangeSet, Profile, User
from tests.factories import count, make_profile, make_user
from tests.pages import post, words

HIDDEN = re.compile(r'name="([\w-]*row_(?:version|change))"[^>]*value="(\d*)"')


@pytest.fixture(autouse=True)
def admin(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.ADMIN)


@pytest.fixture
def user(session: Session) -> User:
    user = make_user(session, username="ada", email="ada@example.com")
    make_profile(session, user, full_name="Ada Example", country="Italy")
    return user


def opened(client: FlaskClient, path: str) -> dict[str, str]:
    """Return what a form is opened with and sends back unseen."""
    return dict(HIDDEN.findall(client.get(path).text))


def told(session: Session) -> list[tuple[str, str | None, str | None]]:
    """Return what the one change set tells."""
    (made,) = session.scalars(sa.select(ChangeSet)).all()
    changes = session.scalars(sa.select(Change).where(Change.change_set_id == made.id))
    return [(change.field, change.old_value, change.new_value) for change in changes]


def send_user(client: FlaskClient, user: User, form: dict[str, str], **fields: str) -> Any:
    values = {"username": "ada", "email": "ada@example.com", "profile-full_name": "Ada Example"}
    values |= {"profile-country": "Italy"} | form | fields
    return post(client, f"/admin/users/edit/?id={user.id}", **values)


def test_the_form_of_an_account_has_the_fields_of_its_person(
    session: Session, client: FlaskClient, user: User
) -> None:
    page = client.get(f"/admin/users/edit/?id={user.id}").text

    assert "<legend>Profile</legend>" in page
    assert re.search(r'<input [^>]*name="profile-full_name"[^>]*value="Ada Example"', page)
    assert 'name="profile-row_version" type="hidden" value="1"' in page


def test_account_and_person_are_saved_in_one_change_set(
    session: Session, client: FlaskClient, user: User
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")

    send_user(
        client, user, form, email="new@example.com", **{"profile-full_name": " Ada Lovelace "}
    )

    session.refresh(user)
    profile = session.scalars(sa.select(Profile)).one()
    assert (user.email, user.version) == ("new@example.com", 2)
    assert (profile.full_name, profile.country, profile.version) == ("Ada Lovelace", "Italy", 2)
    assert told(session) == [
        ("email", "ada@example.com", "new@example.com"),
        ("profile.full_name", "Ada Example", "Ada Lovelace"),
    ]


def test_a_change_of_the_person_alone_leaves_the_account_as_it_is(
    session: Session, client: FlaskClient, user: User
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")

    send_user(client, user, form, **{"profile-country": "France"})

    session.refresh(user)
    assert user.version == 1
    assert told(session) == [("profile.country", "Italy", "France")]
    assert "Profile country" in words(client.get(f"/admin/users/details/?id={user.id}"))


def test_nothing_changed_leaves_no_trace(session: Session, client: FlaskClient, user: User) -> None:
    send_user(client, user, opened(client, f"/admin/users/edit/?id={user.id}"))

    profile = session.scalars(sa.select(Profile)).one()
    assert (profile.version, count(session, ChangeSet)) == (1, 0)


def test_what_is_wrong_with_a_part_is_said_at_its_field_and_nothing_is_saved(
    session: Session, client: FlaskClient, user: User
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    wrong = {"profile-avatar_url": "ftp://example.com/a.png"}

    response = send_user(client, user, form, email="new@example.com", **wrong)

    assert 'id="profile-avatar_url-error">An address beginning with https://' in response.text
    assert '<a href="#profile-avatar_url">Profile: Avatar address</a>' in response.text
    assert 'value="new@example.com"' in response.text
    session.refresh(user)
    assert (user.email, count(session, ChangeSet)) == ("ada@example.com", 0)


def test_an_account_without_a_person_gets_one_when_something_is_typed(
    session: Session, client: FlaskClient
) -> None:
    user = make_user(session, username="ada", email="ada@example.com")
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    blank = {"profile-full_name": "  ", "profile-country": ""}

    send_user(client, user, form, **blank)
    assert count(session, Profile) == 0
    send_user(client, user, form, **blank | {"profile-country": "Italy"})

    profile = session.scalars(sa.select(Profile)).one()
    assert (profile.user_id, profile.country) == (user.id, "Italy")


def test_a_new_account_and_its_person_are_made_at_once(
    session: Session, client: FlaskClient
) -> None:
    before = count(session, User)
    fields = {"profile-full_name": "Bo Example", "profile-row_version": ""}

    post(client, "/admin/users/new/", username="bo", email="bo@example.com", **fields)

    profile = session.scalars(sa.select(Profile)).one()
    assert (profile.user.username, profile.full_name) == ("bo", "Bo Example")
    assert count(session, User) == before + 1
    assert ("profile.full_name", None, "Bo Example") in told(session)


def test_the_edit_of_another_at_the_part_is_not_written_over(
    session: Session, client: FlaskClient, user: User
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    profile = session.scalars(sa.select(Profile)).one()
    profile.country = "France"
    session.commit()

    response = send_user(
        client, user, form, email="new@example.com", **{"profile-full_name": "Mine"}
    )

    assert response.status_code == 409
    assert "Profile: Country Italy" not in words(response)
    assert "Profile: Full name" in words(response)
    assert "France" in words(response)
    session.refresh(user)
    session.refresh(profile)
    assert (user.email, profile.full_name) == ("ada@example.com", "Ada Example")
    assert count(session, ChangeSet) == 0

    again = dict(HIDDEN.findall(response.text))
    assert again["profile-row_version"] == "2"
    done = send_user(client, user, again, **{"profile-full_name": "Mine"})
    session.refresh(profile)
    assert (done.status_code, profile.full_name, profile.country) == (302, "Mine", "Italy")


def test_what_was_told_before_the_form_was_opened_is_no_news(
    session: Session, client: FlaskClient, user: User
) -> None:
    key = session.scalars(sa.select(Profile.id)).one()
    of_many = ChangeSet(actor_name="bulk", source="bulk", action="x", table_name="profiles")
    of_many.changes = [
        Change(record_id=key, field="country", old_value="France", new_value="Italy")
    ]
    alone = ChangeSet(
        actor_name="one", source="form", action="x", table_name="profiles", record_id=key
    )
    session.add_all([alone, of_many])
    session.commit()

    form = opened(client, f"/admin/users/edit/?id={user.id}")

    assert form["profile-row_change"] == str(max(alone.id, of_many.id))


def test_a_person_made_meanwhile_is_a_conflict_and_not_a_second_one(
    session: Session, client: FlaskClient
) -> None:
    user = make_user(session, username="ada", email="ada@example.com")
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    make_profile(session, user, full_name="Theirs")

    response = send_user(client, user, form, **{"profile-full_name": "Mine"})

    assert response.status_code == 409
    assert [p.full_name for p in session.scalars(sa.select(Profile))] == ["Theirs"]


def test_whoever_may_not_write_the_part_neither_sees_nor_changes_it(
    session: Session, client: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    monkeypatch.setattr("backoffice.admin.users.ProfileView.write", None)

    page = client.get(f"/admin/users/edit/?id={user.id}").text
    send_user(client, user, form, **{"profile-full_name": "Sneaked in"})

    assert "profile-" not in page
    assert session.scalars(sa.select(Profile)).one().full_name == "Ada Example"
