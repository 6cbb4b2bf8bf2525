"""Taking one edit back: exactly, or not at all."""

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
from backoffice.models import Change, ChangeSet, Product, User
from backoffice.services import audit
from tests.factories import count, make_category, make_product, make_tag
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


def edit(client: FlaskClient, record: Any, **fields: Any) -> None:
    """Save the form with some fields changed."""
    sent: dict[str, Any] = {"row_version": record.version}
    if isinstance(record, Product):
        sent |= {
            "sku": record.sku,
            "name": record.name,
            "description": record.description or "",
            "price": str(record.price),
            "low_stock_threshold": str(record.low_stock_threshold),
            "is_available": "y",
            "tags": [tag.id for tag in record.tags],
        }
        sent |= {"category": record.category_id} if record.category_id else {}
    sent = {name: value for name, value in (sent | fields).items() if value is not None}
    path = f"/admin/{record.__tablename__}/edit/?id={record.id}"
    assert post(client, path, **sent).status_code == 302


def newest(session: Session) -> ChangeSet:
    return session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()  # type: ignore[return-value]


def revert(client: FlaskClient, record: Any, made: ChangeSet, **fields: Any) -> str:
    """Press the button; return what the next page says."""
    path = f"/admin/{record.__tablename__}/revert/"
    sent = {"change_set": made.id, "row_version": record.version} | fields
    response = post(client, path, **sent)
    assert response.status_code == 302
    return words(client.get(response.location))


def state(product: Product) -> tuple[Any, ...]:
    return (
        product.name,
        product.description,
        product.price,
        product.unit_cost,
        product.low_stock_threshold,
        product.is_available,
        product.category_id,
        [tag.id for tag in product.tags],
    )


def test_every_kind_of_field_comes_back_exactly(session: Session, client: FlaskClient) -> None:
    old, new = make_category(session, "Mugs"), make_category(session, "Cups")
    product = make_product(
        session,
        description="Two\nlines",
        category=old,
        price=Decimal("9.9999"),
        is_available=False,
    )
    product.tags = [make_tag(session, "a, b"), make_tag(session, "c")]
    session.commit()
    before, tag = state(product), make_tag(session, "d")
    edit(
        client,
        product,
        name="Other",
        description="",
        price="1",
        unit_cost="2.5",
        low_stock_threshold="0",
        is_available="y",
        category=new.id,
        tags=[tag.id],
    )
    session.refresh(product)
    assert all(one != other for one, other in zip(before, state(product), strict=True))
    made = newest(session)

    page = revert(client, product, made)

    assert f"Change {made.id} is reverted." in page
    session.refresh(product)
    assert state(product) == before
    assert product.version == 3
    undone = newest(session)
    assert (undone.action, undone.reason) == ("product.revert", f"revert of change {made.id}")
    assert len(undone.changes) == 8


def test_the_button_is_there_and_does_it(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")

    page = client.get(f"/admin/tags/details/?id={tag.id}").text
    form = page.partition('action="/admin/tags/revert/"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    response = client.post("/admin/tags/revert/", data=fields)

    assert response.location == f"/admin/tags/details/?id={tag.id}"
    session.refresh(tag)
    assert tag.name == "old"


def test_a_revert_can_be_taken_back(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")
    revert(client, tag, newest(session))

    revert(client, tag, newest(session))

    session.refresh(tag)
    assert tag.name == "new"


def test_what_was_changed_again_is_not_reverted_and_it_is_said_by_whom(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(session, name="a", price=Decimal(1))
    edit(client, product, name="b", price="2")
    made = newest(session)
    other = sign_in(Role.MANAGER)
    edit(client, product, name="c")

    page = revert(client, product, made)

    assert f"Nothing was reverted: Name changed again since by {other.username}." in page
    session.refresh(product)
    assert (product.name, product.price) == ("c", Decimal(2))
    assert count(session, ChangeSet) == 2


def test_other_fields_may_have_changed_since(session: Session, client: FlaskClient) -> None:
    product = make_product(session, name="a", price=Decimal(1))
    edit(client, product, name="b")
    made = newest(session)
    edit(client, product, price="2")

    revert(client, product, made)

    session.refresh(product)
    assert (product.name, product.price) == ("a", Decimal(2))


def test_a_page_that_is_out_of_date_reverts_nothing(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")

    page = revert(client, tag, newest(session), row_version="1")

    assert "Somebody else has changed this record" in page
    session.refresh(tag)
    assert (tag.name, count(session, ChangeSet)) == ("new", 1)


def test_a_relation_that_is_gone_cannot_come_back(session: Session, client: FlaskClient) -> None:
    old, new = make_category(session, "Mugs"), make_category(session, "Cups")
    product = make_product(session, category=old)
    edit(client, product, category=new.id)
    made = newest(session)
    session.delete(old)
    session.commit()

    page = revert(client, product, made)

    assert "Not reverted: Category was Mugs, which is no more." in page
    session.refresh(product)
    assert product.category_id == new.id


def test_rules_hold_for_a_revert_as_for_a_form(session: Session, client: FlaskClient) -> None:
    top, low = make_category(session, "Top"), make_category(session, "Low")
    low.parent = top
    session.commit()
    post(
        client,
        f"/admin/categories/edit/?id={low.id}",
        name="Low",
        parent="",
        row_version=low.version,
    )
    session.expire_all()
    made = newest(session)
    top.parent = low
    session.commit()

    page = revert(client, low, made)

    assert "cannot lie below itself" in page
    session.refresh(low)
    assert low.parent_id is None


def test_a_name_that_is_taken_by_now_is_refused_without_an_error_page(
    session: Session, client: FlaskClient
) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")
    made = newest(session)
    make_tag(session, "old")

    assert "Nothing was saved." in revert(client, tag, made)
    session.refresh(tag)
    assert tag.name == "new"


def test_only_what_forms_may_change_is_reverted(session: Session, client: FlaskClient) -> None:
    product = make_product(session, stock=5)
    product.stock = 9
    changes = audit.differences(session, product)
    actor = command_actor("stock")
    made = audit.record(session, actor, "product.update", product, changes=changes)
    session.commit()

    assert "revert/" not in client.get(f"/admin/products/details/?id={product.id}").text
    assert "not one that can be reverted" in revert(client, product, made)
    session.refresh(product)
    assert product.stock == 9


def test_text_that_the_log_no_longer_explains_is_not_guessed_at(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session, category=make_category(session, "Mugs"))
    made = ChangeSet(
        actor_name="x",
        source="form",
        action="product.update",
        table_name="products",
        record_id=product.id,
        changes=[Change(field="category", old_value="Cups", new_value="Mugs")],
    )
    session.add(made)
    session.commit()

    assert "Nothing was reverted: Category" in revert(client, product, made)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT, Role.OPERATOR])
def test_reverting_is_for_those_who_may_write_and_read_the_log(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")
    made = newest(session)
    sign_in(role)

    sent: dict[str, Any] = {"change_set": made.id, "row_version": tag.version}
    assert post(client, "/admin/tags/revert/", **sent).status_code == 403
    session.refresh(tag)
    assert (tag.name, count(session, ChangeSet)) == ("new", 1)


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 30, "999999"])
def test_a_change_that_is_not_there_is_not_found(
    session: Session, client: FlaskClient, key: str
) -> None:
    assert post(client, "/admin/tags/revert/", change_set=key).status_code == 404


def test_a_change_of_another_table_is_not_found(session: Session, client: FlaskClient) -> None:
    tag = make_tag(session, "old")
    edit(client, tag, name="new")

    sent: dict[str, Any] = {"change_set": newest(session).id, "row_version": "2"}
    assert post(client, "/admin/products/revert/", **sent).status_code == 404
