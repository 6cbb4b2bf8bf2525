"""Editing a cell of a list: the form's rules for one field, and never over another's edit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import Role, Source
from backoffice.admin.products import ProductView
from backoffice.models import Change, ChangeSet, PriceChange, Product, User
from tests.db.admin.test_declarations import build
from tests.factories import count, make_product, make_tag
from tests.pages import csrf_token

GBP = '<span class="currency">GBP</span>'
SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


def save(
    client: FlaskClient, record: Any, cell: str, value: str | None, **fields: Any
) -> TestResponse:
    """Send a cell as the script does; a box that is not ticked sends nothing."""
    sent: dict[str, Any] = {"id": record.id, "cell": cell, "row_version": record.version}
    sent |= {} if value is None else {cell: value}
    data = {"csrf_token": csrf_token(client), **sent, **fields}
    path = f"/admin/{record.__tablename__}/cell/"
    return client.post(path, data=data, headers={"Accept": "application/json"})


@pytest.mark.parametrize(
    ("cell", "sent", "value", "shown"),
    [
        ("name", "  Blue mug ", "Blue mug", "Blue mug"),
        ("name", "<b>&", "<b>&", "&lt;b&gt;&amp;"),
        ("price", "1234.5", "1234.50", f"1,234.50 {GBP}"),
        ("low_stock_threshold", "7", "7", "7"),
        ("is_available", None, "", "no"),
    ],
)
def test_a_cell_is_saved_as_the_form_would(
    session: Session, client: FlaskClient, cell: str, sent: str | None, value: str, shown: str
) -> None:
    product = make_product(session)

    response = save(client, product, cell, sent)

    assert response.status_code == 200
    assert response.json == {"version": 2, "value": value, "shown": shown}
    session.refresh(product)
    assert product.version == 2
    made = session.scalars(sa.select(ChangeSet)).one()
    assert (made.action, made.source, made.record_id) == (
        "product.update", Source.CELL, product.id
    )  # fmt: skip
    assert [change.field for change in made.changes] == [cell]


def test_only_the_cell_is_changed(session: Session, client: FlaskClient) -> None:
    product = make_product(session, description="kept", unit_cost=Decimal(4))
    product.tags = [make_tag(session, "kept")]
    session.commit()

    save(client, product, "name", "New", description="lost", tags="", stock="99", price="1")

    session.refresh(product)
    assert (product.name, product.description, product.stock) == ("New", "kept", 0)
    assert (product.price, product.unit_cost) == (Decimal(10), Decimal(4))
    assert [tag.name for tag in product.tags] == ["kept"]


@pytest.mark.parametrize(
    ("cell", "sent", "said"),
    [
        ("name", "", "This field is required."),
        ("name", "   ", "This field is required."),
        ("name", "x" * 201, "Field cannot be longer than 200 characters."),
        ("price", "-1", "Zero or more."),
        ("price", "NaN", "Enter a number."),
        ("price", "1.23456", "At most 4 decimal places."),
        ("price", "dear", "Not a valid decimal value."),
        ("low_stock_threshold", "1.5", "Not a valid integer value."),
    ],
)
def test_what_the_form_refuses_the_cell_refuses_with_the_same_words(
    session: Session, client: FlaskClient, cell: str, sent: str, said: str
) -> None:
    product = make_product(session)

    response = save(client, product, cell, sent)

    assert (response.status_code, response.json) == (422, {"error": said})
    session.refresh(product)
    assert (product.version, count(session, ChangeSet)) == (1, 0)


def test_a_cell_that_is_out_of_date_is_refused_with_what_it_has_become(
    session: Session, client: FlaskClient, manager: User
) -> None:
    product = make_product(session)
    save(client, product, "price", "12")

    response = save(client, product, "price", "11", row_version="1")

    assert response.status_code == 409
    assert response.json == {
        "error": "Somebody else has changed this record since this list was drawn. "
        "Nothing was saved.",
        "who": manager.username,
        "version": 2,
        "value": "12.00",
        "shown": f"12.00 {GBP}",
    }
    session.refresh(product)
    assert (product.price, product.version, count(session, ChangeSet)) == (Decimal(12), 2, 1)
    assert save(client, product, "price", "11").status_code == 200


def test_a_cell_that_does_not_matter_now_says_so(session: Session, client: FlaskClient) -> None:
    product = make_product(session, is_available=False)

    response = save(client, product, "low_stock_threshold", "9")

    assert response.status_code == 422
    assert response.json
    assert "Leave it as it was." in response.json["error"]
    session.refresh(product)
    assert (product.low_stock_threshold, product.is_available) == (5, False)


@pytest.mark.parametrize("version", ["", "2", "x"])
def test_a_cell_without_its_version_is_refused(
    session: Session, client: FlaskClient, version: str
) -> None:
    product = make_product(session)

    assert save(client, product, "name", "New", row_version=version).status_code == 409
    session.refresh(product)
    assert product.version == 1


def test_a_value_that_was_there_already_changes_nothing(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session, name="Same")

    assert save(client, product, "name", "Same").json == {
        "version": 1, "value": "Same", "shown": "Same"
    }  # fmt: skip
    assert count(session, ChangeSet) == 0


@pytest.mark.parametrize("cell", ["stock", "sku", "version", "category", "nothing", ""])
def test_a_cell_that_is_not_declared_is_not_found(
    session: Session, client: FlaskClient, cell: str
) -> None:
    assert save(client, make_product(session), cell, "9").status_code == 404


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT])
def test_cells_are_for_those_who_may_write(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    product = make_product(session)
    assert "data-cell=" in client.get("/admin/products/").text
    sign_in(role)

    assert "data-cell=" not in client.get("/admin/products/").text
    assert save(client, product, "name", "New").status_code == 403
    session.refresh(product)
    assert (product.version, count(session, Change)) == (1, 0)


def test_no_cell_is_saved_without_the_token(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    sent: dict[str, Any] = {"id": product.id, "cell": "name", "name": "New", "row_version": 1}

    assert client.post("/admin/products/cell/", data=sent).status_code == 400
    session.refresh(product)
    assert product.version == 1


def test_an_unknown_record_is_not_found(session: Session, client: FlaskClient) -> None:
    for key in ("", "x", "999999"):
        response = save(client, make_product(session), "name", "New", id=key)
        assert (response.status_code, response.is_json) == (404, True)


@pytest.mark.parametrize("name", ["category", "stock", "tags", "description2", "created_at"])
def test_a_cell_that_cannot_be_edited_does_not_start(app: Flask, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        build(app, ProductView, editable=(name,))


def test_the_column_that_leads_to_the_record_is_not_edited_in_its_place(
    session: Session, client: FlaskClient
) -> None:
    make_product(session)
    page = client.get("/admin/products/").text
    row = page.partition("<tbody>")[2].partition("</tr>")[0]

    assert 'data-version="1"' in row
    assert row.count("data-cell=") == 3
    assert row.index("row-link") < row.index('data-cell="name"')


def test_a_price_is_noted_where_it_is_changed_by_itself(
    session: Session, client: FlaskClient, manager: User
) -> None:
    product = make_product(session)

    save(client, product, "price", "12")
    save(client, session.get_one(Product, product.id), "name", "New")

    noted = session.scalars(sa.select(PriceChange)).one()
    assert (noted.old_price, noted.new_price) == (Decimal(10), Decimal(12))
    assert (noted.actor_name, noted.batch_id) == (manager.username, None)
