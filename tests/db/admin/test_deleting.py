"""What a deletion takes along, what it leaves, what forbids it, and what to do then."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.dependents import count_dependents
from backoffice.models import Change, ChangeSet, Product, Tag, User
from tests.factories import (
    count,
    make_category,
    make_login,
    make_order,
    make_product,
    make_profile,
    make_tag,
    make_user,
)
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


def delete_page(record: Any) -> str:
    return f"/admin/{record.__tablename__}/delete/?id={record.id}"


def sold(session: Session) -> Product:
    product = make_product(session, sku="SOLD", name="Mug")
    for _ in range(2):
        make_order(session, (product, 1, Decimal(5)))
    return product


def test_what_goes_along_is_counted(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    product.tags = [make_tag(session, "a"), make_tag(session, "b")]
    session.commit()

    assert "Goes along 2 links to tags" in words(client.get(delete_page(product)))
    assert "Goes along 1 link to products" in words(client.get(delete_page(product.tags[0])))


def test_what_forbids_it_is_counted_and_can_be_looked_at(
    session: Session, client: FlaskClient
) -> None:
    category = make_category(session, "Mugs")
    make_product(session, category=category)
    make_category(session, "Low", category)

    response = client.get(delete_page(category))

    assert f'<a href="/admin/products/?category={category.id}">1 product</a>' in response.text
    assert f'<a href="/admin/categories/?parent={category.id}">1 category</a>' in response.text
    assert "It cannot be deleted. Move or delete first what needs it." in words(response)
    assert (
        "<button"
        not in response.text.partition('class="panel consequences"')[2].partition("</form>")[0]
    )


def test_what_nothing_leads_to_can_go(session: Session, client: FlaskClient) -> None:
    page = words(client.get(delete_page(make_tag(session, "free"))))

    assert "Nothing else leads to this tag." in page
    assert "Delete free" in page


def test_an_account_is_read_through_to_what_goes_with_what_goes(session: Session) -> None:
    user = make_user(session)
    make_profile(session, user)
    make_login(session, user)
    order = make_order(session, (make_product(session), 1, Decimal(5)), user=user)
    session.add(ChangeSet(actor_id=user.id, actor_name="x", source="form", action="tag.create"))
    session.commit()

    def told(record: Any) -> list[tuple[str, str, str]]:
        found = count_dependents(session, record)
        return sorted((one.table.name, one.rule, str(number)) for one, number in found)

    assert told(user) == [
        ("change_sets", "SET NULL", "1"),
        ("login_sessions", "CASCADE", "1"),
        ("orders", "RESTRICT", "1"),
        ("profiles", "CASCADE", "1"),
    ]
    assert told(order) == [("order_items", "CASCADE", "1")]


def test_counting_stops_at_its_limit(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.admin.dependents.CAP", 1)

    assert "1+ order items" in words(client.get(delete_page(sold(session))))


def test_a_product_that_was_sold_is_archived_instead(session: Session, client: FlaskClient) -> None:
    product = sold(session)
    page = words(client.get(delete_page(product)))
    assert "because it still needs this product 2 order items" in page
    assert "Archive SOLD Mug" in page
    assert "Delete SOLD Mug?" in page
    assert page.count("Delete SOLD Mug") == 3  # title, crumb, heading; no button

    post(client, "/admin/products/archive/", id=product.id, row_version="1")

    session.refresh(product)
    assert (product.is_available, product.version) == (False, 2)
    made = session.scalars(sa.select(ChangeSet)).one()
    change = session.scalars(sa.select(Change)).one()
    assert made.action == "product.archive"
    assert (change.field, change.old_value, change.new_value) == ("is_available", "True", "False")
    again = client.get(delete_page(product))
    assert "It is archived already" in words(again)
    assert "Archive SOLD" not in words(again)


def test_a_deletion_forced_past_the_page_is_refused_and_shown_why(
    session: Session, client: FlaskClient
) -> None:
    product = sold(session)

    response = post(client, "/admin/products/delete/", id=product.id, row_version="1")

    assert response.location.startswith(f"/admin/products/delete/?id={product.id}")
    assert "Other records still need this one" in words(client.get(response.location))
    assert (count(session, Product), count(session, ChangeSet)) == (1, 0)


@pytest.mark.parametrize("version", [None, "", "2", "x"])
@pytest.mark.parametrize("verb", ["delete", "archive"])
def test_what_was_not_looked_at_in_this_version_stays(
    session: Session, client: FlaskClient, version: str | None, verb: str
) -> None:
    product = make_product(session)
    sent = {} if version is None else {"row_version": version}

    response = post(client, f"/admin/products/{verb}/", id=product.id, **sent)

    assert "Somebody else has changed this record" in words(client.get(response.location))
    session.refresh(product)
    assert (product.is_available, count(session, ChangeSet)) == (True, 0)


def test_a_deletion_keeps_the_links_in_the_log(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    tags = [make_tag(session, "a"), make_tag(session, "b")]
    keys = [tag.id for tag in tags]
    product.tags = tags
    session.commit()
    version = product.version

    post(client, "/admin/products/delete/", id=product.id, row_version=version)

    assert (count(session, Product), count(session, Tag)) == (0, 2)
    made = session.scalars(sa.select(ChangeSet)).one()
    told = {change.field: change.old_value for change in made.changes}
    assert told["tags"] == "a, b"
    assert made.details == {"keys": {"tags": [keys, None]}, "went_along": {"product_tags": "2"}}


def test_a_deleted_record_is_said_and_its_page_is_gone(
    session: Session, client: FlaskClient
) -> None:
    tag = make_tag(session, "gone")
    page = delete_page(tag)

    response = post(client, "/admin/tags/delete/", id=tag.id, row_version="1", url="/admin/tags/")

    assert response.location == "/admin/tags/"
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT, Role.OPERATOR])
def test_deleting_and_archiving_is_for_those_who_may_write(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    product = make_product(session)
    sign_in(role)

    assert client.get(delete_page(product)).status_code == 403
    for verb in ("delete", "archive"):
        response = post(client, f"/admin/products/{verb}/", id=product.id, row_version="1")
        assert response.status_code == 403
    session.refresh(product)
    assert product.is_available


def test_tables_without_deletion_have_no_page_and_no_archive(
    session: Session, client: FlaskClient
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))

    assert client.get(delete_page(order)).status_code == 403
    assert client.get("/admin/products/delete/").status_code == 404
    assert post(client, "/admin/tags/archive/", id=make_tag(session, "a").id).status_code == 404
