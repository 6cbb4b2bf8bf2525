"""A row that a picker lacks is made beside the form, by those who may make it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import Category, ChangeSet, Tag, User
from tests.factories import count, make_category, make_product
from tests.pages import post, words

SignIn = Callable[[Role], User]
BESIDE = "/admin/categories/new/?panel=1"


def ids(html: str) -> list[str]:
    return re.findall(r'\sid="([^"]+)"', html)


def test_a_form_offers_to_make_what_its_pickers_lack(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    page = client.get("/admin/products/new/")

    assert 'href="/admin/categories/new/" target="_blank"' in page.text
    assert 'href="/admin/tags/new/" target="_blank"' in page.text
    assert "New category (opens in a new tab)" in words(page)


def test_whoever_may_not_make_it_is_not_offered_it(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.SUPPORT)

    assert client.get(BESIDE).status_code == 403
    assert client.post(BESIDE, data={"name": "Mugs"}).status_code in (400, 403)
    assert post(client, BESIDE, name="Mugs").status_code == 403
    assert (count(session, Category), count(session, ChangeSet)) == (0, 0)


def test_rows_of_a_table_that_nobody_adds_to_by_hand_are_not_offered(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    assert "data-creates" not in client.get("/admin/tags/new/").text


def test_a_panel_is_the_form_alone_under_names_of_its_own(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    panel, page = client.get(BESIDE), client.get("/admin/products/new/")

    assert panel.status_code == 200
    assert panel.text.lstrip().startswith("<form")
    assert 'for="panel-name"' in panel.text
    assert set(ids(panel.text)).isdisjoint(ids(page.text))
    assert "data-creates" not in panel.text


def test_a_new_row_is_made_and_told_as_its_picker_tells_it(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    home = make_category(session, "Home")

    made = post(client, BESIDE, name=" Mugs ", parent=home.id)

    assert made.status_code == 201
    key = made.get_json()["id"]
    category = session.get_one(Category, key)
    assert (category.name, category.parent) == ("Mugs", home)
    assert count(session, ChangeSet) == 1
    assert client.get(f"/admin/products/pick/category?id={key}").get_json() == [
        {"id": key, "label": "Mugs", "hint": "Home"}
    ]
    assert "successfully" not in words(client.get("/admin/products/new/"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "This field is required."), ("Mugs", "This is taken already. Choose another.")],
)
def test_what_is_wrong_is_said_in_the_panel(
    session: Session, client: FlaskClient, sign_in: SignIn, name: str, sentence: str
) -> None:
    sign_in(Role.MANAGER)
    make_category(session, "Mugs")

    refused = post(client, BESIDE, name=name)

    assert refused.status_code == 422
    assert f'id="panel-name-error">{sentence}' in refused.text
    assert 'href="#panel-name"' in refused.text
    assert (count(session, Category), count(session, ChangeSet)) == (1, 0)


def test_a_row_out_of_scope_is_not_told(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    assert client.get("/admin/products/pick/category?id=999").get_json() == []
    assert client.get(f"/admin/products/pick/category?id={'9' * 30}").get_json() == []


def test_help_is_tied_to_its_field(session: Session, client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(Role.MANAGER)
    key = make_product(session).id

    page = client.get(f"/admin/products/edit/?id={key}").text
    refused = post(client, "/admin/products/new/", sku="").text

    assert re.search(r'<input aria-describedby="sku-help"[^>]* id="sku"', page)
    assert 'id="sku-help">Unique; kept in capital letters.' in page
    assert re.search(r'<input aria-describedby="sku-help sku-error"[^>]* id="sku"', refused)
    assert count(session, Tag) == 0
