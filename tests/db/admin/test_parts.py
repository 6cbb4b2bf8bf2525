"""Rows that belong to a record are edited in its form, and saved with it or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import Category, Change, ChangeSet, Profile, User
from tests.factories import count, make_category, make_product, make_profile, make_user
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


def names(session: Session, parent: Category | None) -> list[str]:
    key = parent.id if parent else None
    found = sa.select(Category.name).where(Category.parent_id == key).order_by(Category.name)
    return list(session.scalars(found))


# One to one


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


# One to many


@pytest.fixture
def home(session: Session) -> Category:
    home = make_category(session, "Home")
    for name in ("Mugs", "Lamps"):
        make_category(session, name, home)
    return home


def child(session: Session, name: str) -> Category:
    return session.scalars(sa.select(Category).where(Category.name == name)).one()


def send_category(client: FlaskClient, home: Category, form: dict[str, str], **fields: str) -> Any:
    page = client.get(f"/admin/categories/edit/?id={home.id}").text
    typed = dict(re.findall(r'name="(children-\d+-name)"[^>]*value="([^"]*)"', page))
    values = {"name": "Home", "parent": ""} | typed | form | fields
    return post(client, f"/admin/categories/edit/?id={home.id}", **values)


def test_rows_are_renamed_added_and_deleted_in_one_change_set(
    session: Session, client: FlaskClient, home: Category
) -> None:
    mugs, lamps = child(session, "Mugs"), child(session, "Lamps")
    form = opened(client, f"/admin/categories/edit/?id={home.id}")

    send_category(
        client,
        home,
        form,
        **{
            f"children-{mugs.id}-name": "Cups",
            f"children-{lamps.id}-remove": "y",
            "children-new0-name": "Plates",
        },
    )

    assert names(session, home) == ["Cups", "Plates"]
    assert told(session) == [
        ("children.name", "Mugs", "Cups"),
        ("children.name", "Lamps", None),
        ("children.name", None, "Plates"),
    ]
    session.refresh(mugs)
    assert mugs.version == 2


def test_an_empty_row_makes_nothing(session: Session, client: FlaskClient, home: Category) -> None:
    form = opened(client, f"/admin/categories/edit/?id={home.id}")

    send_category(client, home, form, **{"children-new0-name": "  "})

    assert names(session, home) == ["Lamps", "Mugs"]
    assert count(session, ChangeSet) == 0


def test_what_the_database_refuses_is_said_at_the_row_and_all_is_undone(
    session: Session, client: FlaskClient, home: Category
) -> None:
    mugs = child(session, "Mugs")
    form = opened(client, f"/admin/categories/edit/?id={home.id}")
    typed = {f"children-{mugs.id}-name": "Cups", "children-new0-name": "Lamps"}

    response = send_category(client, home, form, name="House", **typed)

    assert 'id="children-new0-name-error">This is taken already' in response.text
    assert 'id="name-error"' not in response.text
    session.refresh(home)
    assert (home.name, names(session, home)) == ("Home", ["Lamps", "Mugs"])
    assert count(session, ChangeSet) == 0


def test_a_row_that_something_leads_to_is_not_deleted_from_here(
    session: Session, client: FlaskClient, home: Category
) -> None:
    mugs = child(session, "Mugs")
    make_product(session, category=mugs)
    form = opened(client, f"/admin/categories/edit/?id={home.id}")

    response = send_category(client, home, form, **{f"children-{mugs.id}-remove": "y"})

    assert f'id="children-{mugs.id}-remove-error">Something else leads to it.' in response.text
    assert names(session, home) == ["Lamps", "Mugs"]


def test_a_row_deleted_by_another_is_a_conflict(
    session: Session, client: FlaskClient, home: Category
) -> None:
    mugs = child(session, "Mugs")
    form = opened(client, f"/admin/categories/edit/?id={home.id}")
    typed = {f"children-{mugs.id}-name": "Cups"}
    session.delete(mugs)
    session.commit()

    response = send_category(client, home, form, **typed)

    assert response.status_code == 409
    assert "Subcategories deleted Cups" in words(response)
    assert f"children-{mugs.id}-name" not in response.text
    assert names(session, home) == ["Lamps"]


def test_a_row_of_another_record_is_out_of_reach(
    session: Session, client: FlaskClient, home: Category
) -> None:
    other = make_category(session, "Other")
    form = {"row_version": "1", f"children-{other.id}-row_version": "1"}

    response = send_category(client, home, form, **{f"children-{other.id}-name": "Taken over"})

    assert response.status_code == 409
    session.refresh(other)
    assert (other.name, other.parent_id) == ("Other", None)


def test_a_row_that_was_not_in_the_form_stays_as_it_is(
    session: Session, client: FlaskClient, home: Category
) -> None:
    form = opened(client, f"/admin/categories/edit/?id={home.id}")
    make_category(session, "Added by another", home)

    response = post(
        client,
        f"/admin/categories/edit/?id={home.id}",
        name="House",
        row_version=form["row_version"],
    )

    assert response.status_code == 302
    assert names(session, home) == ["Added by another", "Lamps", "Mugs"]


def test_a_button_gives_room_for_one_more_and_saves_nothing(
    session: Session, client: FlaskClient, home: Category
) -> None:
    form = opened(client, f"/admin/categories/edit/?id={home.id}")

    response = send_category(
        client, home, form, **{"children-new0-name": "Plates", "_more_children": "1"}
    )

    assert re.search(r'name="children-new0-name"[^>]*value="Plates"', response.text)
    assert len(re.findall(r'name="children-new\d+-name"', response.text)) == 2
    assert count(session, ChangeSet) == 0


def test_more_rows_than_a_form_holds_are_left_to_their_list(
    session: Session, client: FlaskClient, home: Category
) -> None:
    session.add_all([Category(name=f"Shelf {number:02}", parent=home) for number in range(60)])
    session.commit()

    page = client.get(f"/admin/categories/edit/?id={home.id}").text

    assert "There are too many for this form." in page
    assert f'href="/admin/categories/?parent={home.id}"' in page
    assert "children-" not in page


def test_a_thousand_rows_in_one_form_are_refused(
    session: Session, client: FlaskClient, home: Category
) -> None:
    many = {f"children-new{number}-row_version": "" for number in range(1000)}

    response = send_category(client, home, {"row_version": "1"} | many)

    assert response.status_code == 400


def test_whoever_may_not_write_the_part_neither_sees_nor_changes_it(
    session: Session, client: FlaskClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = opened(client, f"/admin/users/edit/?id={user.id}")
    monkeypatch.setattr("backoffice.admin.users.ProfileView.write", None)

    page = client.get(f"/admin/users/edit/?id={user.id}").text
    send_user(client, user, form, **{"profile-full_name": "Sneaked in"})

    assert "profile-" not in page
    assert session.scalars(sa.select(Profile)).one().full_name == "Ada Example"


@pytest.mark.parametrize("page", ["users", "categories"])
def test_a_form_takes_five_statements_at_most_however_many_rows_it_has(
    session: Session,
    client: FlaskClient,
    user: User,
    home: Category,
    page: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session.add_all([Category(name=f"Shelf {number:02}", parent=home) for number in range(40)])
    session.commit()
    key = {"users": user.id, "categories": home.id}[page]
    caplog.set_level("INFO", "backoffice.request")

    client.get(f"/admin/{page}/edit/?id={key}")

    # The savepoint is the test's own.
    assert caplog.records[-1].facts["statements"] - 1 <= 5  # type: ignore[attr-defined]
