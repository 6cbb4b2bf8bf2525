"""Choosing rows of other tables, in forms and in filters."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role
from backoffice.admin.categories import CategoryView
from backoffice.models import Category, ChangeSet, Product, User
from tests.factories import (
    count,
    make_category,
    make_order,
    make_product,
    make_tag,
    make_user,
)
from tests.pages import post, words

SignIn = Callable[[Role], User]
PRODUCT = {"sku": "A", "name": "x", "price": "1", "low_stock_threshold": "1", "is_available": "y"}
MANY = 60


@pytest.fixture
def admin(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.ADMIN)


@pytest.fixture
def many(session: Session) -> list[Category]:
    """More categories than a select shows."""
    made = [Category(name=f"Category {number:02}") for number in range(MANY)]
    session.add_all(made)
    session.commit()
    return made


def asked(client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str) -> int:
    """Return how many statements a page sent."""
    caplog.clear()
    with caplog.at_level("INFO", "backoffice.request"):
        assert client.get(path).status_code == 200
    (record,) = [record for record in caplog.records if record.message == "request"]
    # The savepoint is the test's own.
    return int(record.facts["statements"]) - 1  # type: ignore[attr-defined]


def labels(client: FlaskClient, path: str, typed: str = "") -> list[str]:
    found = client.get(path, query_string={"q": typed}).get_json()
    return [choice["label"] for choice in found]


def test_a_picker_finds_by_two_things_that_tell_rows_apart(
    session: Session, client: FlaskClient, admin: User
) -> None:
    product = make_product(session, sku="MUG-1", name="Blue mug")
    make_product(session, sku="CUP-1", name="Cup")
    path = "/admin/order_items/pick/product"

    for typed in ("mug", "MUG-1", "blue", " Blue  mug "):
        assert client.get(path, query_string={"q": typed}).get_json() == [
            {"id": product.id, "label": "MUG-1", "hint": "Blue mug"}
        ], typed
    assert labels(client, path) == ["CUP-1", "MUG-1"]


def test_categories_of_one_name_are_told_apart_by_their_parent(
    session: Session, client: FlaskClient, admin: User
) -> None:
    for parent in ("Home", "Office"):
        make_category(session, "Mugs", make_category(session, parent))

    found = client.get("/admin/products/pick/category?q=ug").get_json()

    assert {(choice["label"], choice["hint"]) for choice in found} == {
        ("Mugs", "Home"),
        ("Mugs", "Office"),
    }


@pytest.mark.parametrize("typed", ["%", "_", "100%", "a_c", "\\"])
@pytest.mark.parametrize("path", ["products/pick/tags", "order_items/pick/product"])
def test_a_wildcard_is_only_a_character(
    session: Session, client: FlaskClient, admin: User, path: str, typed: str
) -> None:
    for name in ("abc", "1000"):
        make_tag(session, name)
        make_product(session, sku=name.upper())
    make_tag(session, f"{typed} off")
    make_product(session, sku=f"{typed} off".upper())

    assert [found.lower() for found in labels(client, f"/admin/{path}", typed)] == [
        f"{typed} off".lower()
    ]


def test_a_picker_shows_at_most_twenty_with_one_statement(
    session: Session, client: FlaskClient, admin: User, many: list[Category], caplog: Any
) -> None:
    path = "/admin/products/pick/category"

    assert labels(client, path, "category") == [f"Category {number:02}" for number in range(20)]
    assert asked(client, caplog, f"{path}?q=category") == 2
    assert asked(client, caplog, "/admin/order_items/pick/product?q=a") == 2


def test_a_relation_that_has_no_picker_is_not_found(
    session: Session, client: FlaskClient, admin: User
) -> None:
    for name in ("nothing", "password_hash", "orders"):
        assert client.get(f"/admin/users/pick/{name}").status_code == 404


def test_who_may_not_read_a_table_may_not_pick_from_it(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(session, username="ada")
    sign_in(Role.ANALYST)
    without = GRANTS[Role.ANALYST] - {Permission.CUSTOMER_READ}
    monkeypatch.setitem(GRANTS, Role.ANALYST, without)

    assert client.get("/admin/orders/pick/user?q=ada").status_code == 403
    assert client.get("/admin/order_items/pick/product").status_code == 200


def test_support_may_pick_the_customer_of_an_order(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    make_user(session, username="ada", email="countess@example.com")
    sign_in(Role.SUPPORT)

    assert labels(client, "/admin/orders/pick/user", "Countess@") == ["ada"]


def test_what_is_out_of_scope_can_be_neither_found_nor_chosen(
    session: Session, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden, seen = make_category(session, "Hidden"), make_category(session, "Seen")
    monkeypatch.setattr(
        CategoryView, "scope", lambda _view: sa.select(Category).where(Category.name != "Hidden")
    )

    assert labels(client, "/admin/products/pick/category") == ["Seen"]
    response = post(client, "/admin/products/new/", **PRODUCT, category=hidden.id)

    assert 'id="category-error">Choose one that is there.' in response.text
    assert "Hidden" not in response.text
    assert (count(session, Product), count(session, ChangeSet)) == (0, 0)
    post(client, "/admin/products/new/", **PRODUCT, category=seen.id)
    assert session.scalars(sa.select(Product)).one().category == seen


def test_what_is_out_of_scope_stays_when_it_is_not_touched(
    session: Session, client: FlaskClient, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = make_category(session, "Hidden")
    product = make_product(session, category=hidden)
    monkeypatch.setattr(
        CategoryView, "scope", lambda _view: sa.select(Category).where(Category.name != "Hidden")
    )
    path = f"/admin/products/edit/?id={product.id}"

    assert f'<option value="{hidden.id}" selected>#{hidden.id}</option>' in client.get(path).text
    post(client, path, **PRODUCT, category=hidden.id, row_version="1")

    session.refresh(product)
    assert (product.name, product.category) == ("x", hidden)


def test_a_small_table_is_a_plain_select(
    session: Session, client: FlaskClient, admin: User
) -> None:
    mugs, tag = make_category(session, "Mugs"), make_tag(session, "new")
    product = make_product(session, category=mugs)
    product.tags = [tag]
    session.commit()

    page = client.get(f"/admin/products/edit/?id={product.id}").text

    assert re.search(r'<select class="form-select" id="category" name="category">', page)
    assert re.search(r'<select class="form-select" id="tags" name="tags" multiple>', page)
    assert '<option value="">–</option>' in page
    assert f'<option value="{mugs.id}" selected>Mugs</option>' in page
    assert f'<option value="{tag.id}" selected>new</option>' in page


def test_a_large_table_is_not_in_the_form(
    session: Session, client: FlaskClient, admin: User, many: list[Category], caplog: Any
) -> None:
    product = make_product(session, category=many[33])
    path = f"/admin/products/edit/?id={product.id}"

    page = client.get(path).text

    assert page.count("Category 33") == 1
    assert "Category 00" not in page
    assert re.search(rf'name="category" value="{many[33].id}" checked', page)
    assert asked(client, caplog, path) <= 5


def test_without_a_script_a_button_looks_rows_up_and_keeps_the_form(
    session: Session, client: FlaskClient, admin: User, many: list[Category]
) -> None:
    sent: dict[str, Any] = {
        **PRODUCT,
        "name": "Half typed",
        "category": many[1].id,
        "_find_category": "ry 07",
        "price": "",
    }

    response = post(client, "/admin/products/new/", **sent, _pick_category="1")

    assert 'value="Half typed"' in response.text
    assert re.search(rf'name="category" value="{many[1].id}" checked', response.text)
    assert re.search(rf'name="category" value="{many[7].id}">', response.text)
    assert "Category 08" not in response.text
    assert "Failed" not in response.text
    assert "-error" not in response.text
    assert (count(session, Product), count(session, ChangeSet)) == (0, 0)


def test_nothing_found_is_said(
    session: Session, client: FlaskClient, admin: User, many: list[Category]
) -> None:
    response = post(
        client, "/admin/products/new/", **PRODUCT, _pick_category="1", _find_category="zzz"
    )

    assert "Nothing more is called that." in words(response)


def test_a_refused_form_keeps_what_was_chosen(
    session: Session, client: FlaskClient, admin: User, many: list[Category]
) -> None:
    tag = make_tag(session, "new")
    response = post(
        client,
        "/admin/products/new/",
        **(PRODUCT | {"price": "x"}),
        category=many[5].id,
        tags=[tag.id],
    )

    assert re.search(rf'name="category" value="{many[5].id}" checked', response.text)
    assert f'<option value="{tag.id}" selected>' in response.text
    assert "Failed to create record" not in response.text


@pytest.mark.parametrize(
    "value", ["999999", "-1", "x", "9" * 30, "9" * 5000, "١", "1.0", " 1", "__None"]
)
def test_an_unknown_key_is_a_mistake_and_never_nothing(
    session: Session, client: FlaskClient, admin: User, value: str
) -> None:
    mugs, tag = make_category(session, "Mugs"), make_tag(session, "new")
    product = make_product(session, category=mugs)
    product.tags = [tag]
    session.commit()
    path, before = f"/admin/products/edit/?id={product.id}", product.version

    one = post(client, path, **PRODUCT, category=value, tags=[tag.id], row_version="1")
    several = post(client, path, **PRODUCT, category=mugs.id, tags=[tag.id, value], row_version="1")

    assert 'id="category-error">Choose one that is there.' in one.text
    assert 'id="tags-error">Choose those that are there.' in several.text
    session.refresh(product)
    assert (product.category, product.tags, product.version) == (mugs, [tag], before)
    assert count(session, ChangeSet) == 0


def test_a_relation_can_be_emptied(session: Session, client: FlaskClient, admin: User) -> None:
    product = make_product(session, category=make_category(session, "Mugs"))

    post(
        client,
        f"/admin/products/edit/?id={product.id}",
        **PRODUCT,
        category="",
        row_version="1",
    )

    session.refresh(product)
    assert product.category is None


def test_a_filter_says_what_was_chosen_with_one_statement_more(
    session: Session, client: FlaskClient, admin: User, caplog: Any
) -> None:
    mugs = make_category(session, "Mugs")
    make_product(session, sku="IN", category=mugs)
    make_product(session, sku="OUT")
    path = f"/admin/products/?category={mugs.id}&category=999999"

    page = client.get(path)

    assert "Category: Mugs" in words(page)
    assert "Category: #999999" in words(page)
    assert "OUT" not in words(page)
    narrowed = asked(client, caplog, "/admin/products/?is_available=yes")
    assert asked(client, caplog, path) == narrowed + 1


def test_a_filter_looks_rows_up_without_a_script(
    session: Session, client: FlaskClient, admin: User
) -> None:
    mugs = make_category(session, "Mugs")
    make_category(session, "Cups")
    product = make_product(session)

    page = client.get("/admin/products/?category.find=mug")

    assert product.sku in page.text
    assert '<details class="filters" open>' in page.text
    assert re.search(rf'name="category" value="{mugs.id}">', page.text)
    assert "Cups" not in page.text
    assert "does not know" not in page.text


def test_a_filter_tells_no_label_to_who_may_not_read_it(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session, username="ada")
    make_order(session, (make_product(session), 1, Decimal(5)), user=user)
    sign_in(Role.ANALYST)
    without = GRANTS[Role.ANALYST] - {Permission.CUSTOMER_READ}
    monkeypatch.setitem(GRANTS, Role.ANALYST, without)

    page = client.get(f"/admin/orders/?user={user.id}")

    assert f"Customer: #{user.id}" in words(page)
    assert "data-picker" not in page.text
