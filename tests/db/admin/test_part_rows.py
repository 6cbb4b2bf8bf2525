"""Many rows that belong to a record are edited in its form, each by its key and version."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import Category, ChangeSet, User
from tests.db.admin.test_parts import opened, told
from tests.factories import count, make_category, make_product, make_profile, make_user
from tests.pages import post, words


@pytest.fixture(autouse=True)
def admin(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.ADMIN)


def names(session: Session, parent: Category) -> list[str]:
    found = sa.select(Category.name).where(Category.parent_id == parent.id)
    return list(session.scalars(found.order_by(Category.name)))


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


@pytest.mark.parametrize("page", ["users", "categories"])
def test_a_form_takes_five_statements_at_most_however_many_rows_it_has(
    session: Session,
    client: FlaskClient,
    home: Category,
    page: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session.add_all([Category(name=f"Shelf {number:02}", parent=home) for number in range(40)])
    session.commit()
    user = make_user(session)
    make_profile(session, user)
    key = {"users": user.id, "categories": home.id}[page]
    caplog.set_level("INFO", "backoffice.request")

    client.get(f"/admin/{page}/edit/?id={key}")

    # The savepoint is the test's own.
    assert caplog.records[-1].facts["statements"] - 1 <= 5  # type: ignore[attr-defined]
