"""What a form refuses, and says so at the field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import Category, Change, ChangeSet, Product, Profile, User
from backoffice.services import audit
from tests.factories import (
    count,
    make_category,
    make_product,
    make_profile,
    make_tag,
    make_user,
)
from tests.pages import post, words

PRODUCT = {"sku": "A", "name": "x", "price": "1", "low_stock_threshold": "1", "is_available": "y"}


@pytest.fixture(autouse=True)
def admin(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.ADMIN)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "   ", "This field is required."),
        ("sku", " \t", "This field is required."),
        ("price", "sNaN", "Enter a number."),
        ("price", "x", "Not a valid decimal value."),
        ("unit_cost", "-sNaN", "Enter a number."),
        ("low_stock_threshold", "x", "Not a valid integer value."),
        ("category", "999999", "Choose one that is there."),
        ("category", "x", "Choose one that is there."),
        ("tags", "999999", "Choose those that are there."),
    ],
)
def test_what_cannot_be_saved_is_refused_at_its_field_in_one_sentence(
    session: Session, client: FlaskClient, field: str, value: str, sentence: str
) -> None:
    response = post(client, "/admin/products/new/", **(PRODUCT | {field: value}))

    assert f'id="{field}-error">{sentence}</div>' in response.text
    assert (count(session, Product), count(session, ChangeSet)) == (0, 0)


def test_a_name_of_blanks_is_refused_for_a_category(session: Session, client: FlaskClient) -> None:
    category = make_category(session, "Mugs")

    response = post(client, f"/admin/categories/edit/?id={category.id}", name="  ", row_version="1")

    assert 'id="name-error">This field is required.' in response.text


def test_the_name_of_a_person_may_be_cleared(session: Session, client: FlaskClient) -> None:
    profile = make_profile(session, make_user(session))

    post(client, f"/admin/profiles/edit/?id={profile.id}", full_name="", row_version="1")

    session.refresh(profile)
    assert profile.full_name == ""
    assert count(session, Profile) == 1


def test_a_form_without_its_version_is_refused(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "theirs")

    response = post(client, f"/admin/tags/edit/?id={tag.id}", name="mine")

    assert "Somebody else has changed this record" in words(response)
    session.refresh(tag)
    assert (tag.name, count(session, ChangeSet)) == ("theirs", 0)


def test_two_categories_of_one_name_are_told_apart_in_the_log(
    session: Session, client: FlaskClient
) -> None:
    old = make_category(session, "Mugs", make_category(session, "Home"))
    new = make_category(session, "Mugs", make_category(session, "Office"))
    product = make_product(session, category=old)

    post(
        client,
        f"/admin/products/edit/?id={product.id}",
        sku=product.sku,
        name=product.name,
        price="10",
        category=new.id,
        low_stock_threshold="5",
        is_available="y",
        row_version="1",
    )

    session.refresh(product)
    assert product.category == new
    change = session.scalars(sa.select(Change)).one()
    assert (change.field, change.old_value, change.new_value) == (
        "category",
        f"Mugs (id {old.id})",
        f"Mugs (id {new.id})",
    )


def test_a_relation_that_was_not_loaded_is_still_told_from_before(session: Session) -> None:
    key = make_product(session, category=make_category(session, "Mugs")).id
    session.expunge_all()
    product = session.get_one(Product, key)

    product.category = None

    before, after = audit.differences(session, product)["category"]
    assert (str(before), after) == ("Mugs", None)
    session.rollback()


def test_a_taken_name_of_a_root_category_is_said_at_its_field(
    session: Session, client: FlaskClient
) -> None:
    make_category(session, "Mugs")

    response = post(client, "/admin/categories/new/", name="Mugs")

    assert 'id="name-error">This is taken already' in response.text
    assert count(session, Category) == 1


@pytest.mark.parametrize("page", ["details", "edit"])
def test_an_id_of_thousands_of_digits_is_not_found(
    session: Session, client: FlaskClient, page: str
) -> None:
    assert client.get(f"/admin/tags/{page}/?id={'9' * 5000}").status_code == 404
