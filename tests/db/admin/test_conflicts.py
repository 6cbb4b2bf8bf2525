"""Two people edit one record: the slower one is shown both versions, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role, command_actor
from backoffice.db import transaction
from backoffice.models import ChangeSet, Product, User
from backoffice.services import audit
from tests.factories import count, make_category, make_product, make_tag
from tests.pages import post, words

HIDDEN = re.compile(r'name="(row_version|row_change)"[^>]*value="([^"]*)"')


@pytest.fixture(autouse=True)
def admin(sign_in: Callable[[Role], User], session: Session) -> User:
    return sign_in(Role.ADMIN)


def edit_page(record: Any) -> str:
    return f"/admin/{record.__tablename__}/edit/?id={record.id}"


def opened(client: FlaskClient, record: Any) -> dict[str, str]:
    """Open the form; return what it remembers."""
    return dict(HIDDEN.findall(client.get(edit_page(record)).text))


def fields(product: Product) -> dict[str, Any]:
    """What a browser sends for a product as it is now."""
    return {
        "sku": product.sku,
        "name": product.name,
        "description": product.description or "",
        "category": product.category_id or "",
        "price": str(product.price),
        "low_stock_threshold": str(product.low_stock_threshold),
        "is_available": "y",
    }


def rows(text: str) -> list[list[str]]:
    """The table of differences, as words."""
    body = text.partition('class="conflict')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    found = []
    for row in body.split("</tr>")[:-1]:
        cells = re.split(r"</t[hd]>", row)[:-1]
        found.append([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells])
    return found


def test_each_field_is_shown_as_it_was_as_it_is_and_as_it_was_typed(
    session: Session, client: FlaskClient, admin: User
) -> None:
    product = make_product(session, name="Mug", price=Decimal(10))
    mine, theirs, form = opened(client, product), opened(client, product), fields(product)
    post(client, edit_page(product), **(form | theirs | {"name": "Blue mug", "price": "12"}))

    response = post(client, edit_page(product), **(form | mine | {"name": "Red mug"}))

    assert response.status_code == 409
    name, price = rows(response.text)
    assert name[:2] == ["Name", "Mug"]
    assert name[2].startswith(f"Blue mug {admin.username}, 2")
    assert name[3] == "Red mug"
    assert price[:2] == ["Price", "10.00"]
    assert price[3] == "You did not change it: theirs is in the form."
    session.refresh(product)
    assert (product.name, product.price, product.version) == ("Blue mug", Decimal(12), 2)
    assert count(session, ChangeSet) == 1


def test_saving_again_after_having_looked_saves_mine_and_keeps_what_only_they_changed(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session, name="Mug", price=Decimal(10))
    mine, theirs, form = opened(client, product), opened(client, product), fields(product)
    post(client, edit_page(product), **(form | theirs | {"price": "12"}))
    refused = post(client, edit_page(product), **(form | mine | {"name": "Red mug"}))
    assert "Save mine over it" in words(refused)
    price = re.search(r'name="price"[^>]*value="([^"]+)"', refused.text)
    assert price is not None
    assert price[1] == "12.00"

    again = dict(HIDDEN.findall(refused.text))
    response = post(
        client, edit_page(product), **(form | again | {"name": "Red mug", "price": price[1]})
    )

    assert response.status_code == 302
    session.refresh(product)
    assert (product.name, product.price, product.version) == ("Red mug", Decimal(12), 3)


def test_a_third_edit_while_looking_is_refused_again(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "a")
    mine = opened(client, tag)
    post(client, edit_page(tag), name="b", **opened(client, tag))
    refused = post(client, edit_page(tag), name="mine", **mine)
    post(client, edit_page(tag), name="c", **opened(client, tag))

    response = post(client, edit_page(tag), name="mine", **dict(HIDDEN.findall(refused.text)))

    assert response.status_code == 409
    (name,) = rows(response.text)
    assert (name[1], name[2][0], name[3]) == ("b", "c", "mine")


def test_relations_take_part(session: Session, client: FlaskClient) -> None:
    mugs, cups, bowls = (make_category(session, name) for name in ("Mugs", "Cups", "Bowls"))
    product = make_product(session, category=mugs)
    mine, theirs, form = opened(client, product), opened(client, product), fields(product)
    tag = make_tag(session, "new")
    post(client, edit_page(product), **(form | theirs | {"category": cups.id, "tags": [tag.id]}))

    response = post(client, edit_page(product), **(form | mine | {"category": bowls.id}))

    found = {row[0]: row[1:] for row in rows(response.text)}
    assert found["Category"][0] == "Mugs"
    assert found["Category"][1].startswith("Cups")
    assert found["Category"][2] == "Bowls"
    assert found["Tags"][0] == "–"
    assert found["Tags"][2].startswith("You did not change it")


def test_what_the_log_does_not_know_is_not_claimed(session: Session, client: FlaskClient) -> None:
    product = make_product(session, name="Mug")
    mine, form = opened(client, product), fields(product)
    product.name = "Changed by hand"
    session.commit()

    response = post(client, edit_page(product), **(form | mine | {"name": "Red mug"}))

    assert rows(response.text) == [["Name", "Changed by hand", "Red mug"]]


def test_a_change_by_a_command_is_named_with_its_own_actor(
    session: Session, client: FlaskClient
) -> None:
    tag = make_tag(session, "a")
    mine, key = opened(client, tag), tag.id
    with transaction() as writing:
        other = writing.get_one(type(tag), key)
        other.name = "b"
        changes = audit.differences(writing, other)
        audit.record(writing, command_actor("nightly job"), "tag.update", other, changes=changes)

    page = words(post(client, edit_page(tag), name="mine", **mine))

    assert "nightly job, 2" in page
    assert session.scalar(sa.select(sa.func.count()).select_from(ChangeSet)) == 1
