"""Lists, records and forms of the tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role, Source
from backoffice.admin.listing import view
from backoffice.models import Category, Change, ChangeSet, Order, OrderStatus, Product, Tag, User
from tests.db.admin.test_access import LISTS
from tests.factories import (
    count,
    make_category,
    make_order,
    make_past,
    make_product,
    make_tag,
    make_user,
)
from tests.pages import post, words

ENDPOINTS = list(LISTS)
SignIn = Callable[[Role], User]


@pytest.fixture
def admin(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.ADMIN)


def changes(session: Session) -> list[tuple[str, str, str | None, str | None]]:
    """Everything in the change log: (action, field, before, after)."""
    query = (
        sa.select(ChangeSet.action, Change.field, Change.old_value, Change.new_value)
        .join_from(ChangeSet, Change)
        .order_by(Change.id)
    )
    return [(action, field, old, new) for action, field, old, new in session.execute(query)]


def test_creating_a_product_saves_it_and_says_so(
    session: Session, client: FlaskClient, admin: User
) -> None:
    category, tag = make_category(session, "Mugs"), make_tag(session, "new")

    response = post(
        client,
        "/admin/products/new/",
        sku=" mug-1 ",
        name="Blue mug",
        price="12.50",
        low_stock_threshold="5",
        category=category.id,
        tags=[tag.id],
        is_available="y",
    )

    assert response.status_code == 302
    product = session.scalars(sa.select(Product)).one()
    assert (product.sku, product.price, product.stock) == ("MUG-1", Decimal("12.5"), 0)
    assert (product.category, product.tags) == (category, [tag])
    log = session.scalars(sa.select(ChangeSet)).one()
    assert (log.action, log.source, log.actor_name, log.record_id) == (
        "product.create",
        Source.FORM,
        admin.username,
        product.id,
    )
    assert ("product.create", "tags", None, "new") in [
        (action, field, old or None, new) for action, field, old, new in changes(session)
    ]


def test_an_edit_logs_each_field_before_and_after(
    session: Session, client: FlaskClient, admin: User
) -> None:
    tag = make_tag(session, "old")

    response = post(client, f"/admin/tags/edit/?id={tag.id}", name=" new ", row_version="1")

    assert response.status_code == 302
    session.refresh(tag)
    assert (tag.name, tag.version) == ("new", 2)
    assert changes(session) == [("tag.update", "name", "old", "new")]


def test_saving_without_a_change_writes_nothing(
    session: Session, client: FlaskClient, admin: User
) -> None:
    tag = make_tag(session, "same")

    post(client, f"/admin/tags/edit/?id={tag.id}", name="same", row_version="1")

    session.refresh(tag)
    assert (tag.version, count(session, ChangeSet)) == (1, 0)


def test_changing_only_a_relation_moves_the_version_on(
    session: Session, client: FlaskClient, admin: User
) -> None:
    product, tag = make_product(session, price=Decimal(1)), make_tag(session, "new")

    post(
        client,
        f"/admin/products/edit/?id={product.id}",
        sku=product.sku,
        name=product.name,
        price="1.00",
        low_stock_threshold="5",
        is_available="y",
        tags=[tag.id],
        row_version="1",
    )

    session.refresh(product)
    assert (product.tags, product.version) == ([tag], 2)
    assert changes(session) == [("product.update", "tags", "", "new")]


def test_a_stale_save_is_refused_and_keeps_the_form(
    session: Session, client: FlaskClient, admin: User
) -> None:
    tag = make_tag(session, "first")
    post(client, f"/admin/tags/edit/?id={tag.id}", name="theirs", row_version="1")

    response = post(client, f"/admin/tags/edit/?id={tag.id}", name="mine", row_version="1")

    assert response.status_code == 409
    assert "Somebody else has changed this record" in words(response)
    assert 'value="mine"' in response.text
    session.refresh(tag)
    assert (tag.name, count(session, ChangeSet)) == ("theirs", 1)


def test_a_taken_name_is_said_at_its_field(
    session: Session, client: FlaskClient, admin: User
) -> None:
    make_product(session, sku="TAKEN")

    response = post(
        client, "/admin/products/new/", sku="taken", name="x", price="1", low_stock_threshold="5"
    )

    assert re.search(r'id="sku-error">This is taken already', response.text)
    assert "constraint" not in response.text.lower()
    assert (count(session, Product), count(session, ChangeSet)) == (1, 0)


@pytest.mark.parametrize(
    "price", ["NaN", "Infinity", "-1", "1.00001", "12345678901", "1e400", "abc", "", "١٢x"]
)
def test_a_price_that_does_not_fit_is_refused_at_its_field(
    session: Session, client: FlaskClient, admin: User, price: str
) -> None:
    response = post(
        client, "/admin/products/new/", sku="A", name="x", price=price, low_stock_threshold="1"
    )

    assert response.status_code == 200
    assert 'id="price-error"' in response.text
    assert (count(session, Product), count(session, ChangeSet)) == (0, 0)


@pytest.mark.parametrize("text", ["99999999999", "-1", "1.5", "x"])
def test_a_whole_number_that_does_not_fit_is_refused(
    session: Session, client: FlaskClient, admin: User, text: str
) -> None:
    response = post(
        client, "/admin/products/new/", sku="A", name="x", price="1", low_stock_threshold=text
    )

    assert 'id="low_stock_threshold-error"' in response.text
    assert count(session, Product) == 0


def test_workflow_columns_cannot_be_sent_along(
    session: Session, client: FlaskClient, admin: User
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))
    user = make_user(session, Role.CUSTOMER)

    post(
        client,
        f"/admin/orders/edit/?id={order.id}",
        country="France",
        status="pending",
        total_amount="0",
        number="X",
        row_version="1",
    )
    post(
        client,
        f"/admin/users/edit/?id={user.id}",
        username=user.username,
        email=user.email,
        is_active="y",
        role="admin",
        password_hash="x",
        session_version="9",
        row_version="1",
    )

    session.refresh(order)
    session.refresh(user)
    assert (order.country, order.status) == ("France", OrderStatus.COMPLETED)
    assert order.total_amount == 5
    assert (user.role, user.session_version, user.version) == (Role.CUSTOMER, 1, 1)
    assert [field for _, field, _, _ in changes(session)] == ["country"]


def test_a_category_cannot_lie_below_itself(
    session: Session, client: FlaskClient, admin: User
) -> None:
    top = make_category(session, "Top")
    low = make_category(session, "Low", make_category(session, "Middle", top))

    response = post(
        client, f"/admin/categories/edit/?id={top.id}", name="Top", parent=low.id, row_version="1"
    )

    assert "cannot lie below itself" in words(response)
    session.refresh(top)
    assert (top.parent_id, count(session, ChangeSet)) == (None, 0)


def test_deleting_leaves_a_full_record_of_what_went(
    session: Session, client: FlaskClient, admin: User
) -> None:
    tag = make_tag(session, "gone")

    response = post(client, "/admin/tags/delete/", id=tag.id, row_version="1")

    assert response.status_code == 302
    assert count(session, Tag) == 0
    assert ("tag.delete", "name", "gone", None) in changes(session)


def test_what_others_still_need_is_not_deleted(
    session: Session, client: FlaskClient, admin: User
) -> None:
    product = make_product(session, category=make_category(session, "Mugs"))
    make_order(session, (product, 1, Decimal(5)))

    for endpoint, record in (("products", product.id), ("categories", product.category_id)):
        post(client, f"/admin/{endpoint}/delete/", id=record, row_version="1")
        assert "still need this one" in words(client.get(f"/admin/{endpoint}/"))

    assert (count(session, Product), count(session, Category), count(session, ChangeSet)) == (
        1,
        1,
        0,
    )


def test_orders_are_neither_made_nor_deleted_by_form(
    session: Session, client: FlaskClient, admin: User
) -> None:
    order = make_order(session, (make_product(session), 1, Decimal(5)))

    assert client.get("/admin/orders/new/").status_code == 403
    assert post(client, "/admin/orders/delete/", id=order.id).status_code == 403
    assert count(session, Order) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("key", ["abc", "-1", "1,2", "9" * 20, "1.5", "", "١", "0", "null"])
def test_an_id_that_cannot_be_is_not_found(
    session: Session, client: FlaskClient, admin: User, endpoint: str, key: str
) -> None:
    status = client.get(f"/admin/{endpoint}/details/", query_string={"id": key}).status_code

    assert status == 404


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "arguments",
    [
        "page=-1",
        "page=99999999999999",
        "page=x",
        "sort=99",
        "sort=-5",
        "sort=x",
        "desc=x",
        "search=%25_%5C%27%22",
        "search=" + "a" * 5000,
        "flt0_0=x",
        "page_size=100000",
        "unknown=1",
        "search=%00",
    ],
)
def test_senseless_arguments_of_a_list_are_harmless(
    session: Session, client: FlaskClient, admin: User, endpoint: str, arguments: str
) -> None:
    assert client.get(f"/admin/{endpoint}/?{arguments}").status_code == 200


@pytest.mark.parametrize("arguments", ["endpoint=x", "self=1", "_external=1", "_method=POST"])
def test_arguments_that_would_steer_our_own_links_are_not_found(
    session: Session, client: FlaskClient, admin: User, arguments: str
) -> None:
    assert client.get(f"/admin/orders/?{arguments}").status_code == 404


@pytest.mark.parametrize("url", ["https://evil.test", "//evil.test", "http:evil.test", "/\\evil"])
def test_a_foreign_return_address_is_refused(
    session: Session, client: FlaskClient, admin: User, url: str
) -> None:
    response = client.get("/admin/tags/new/", query_string={"url": url})

    assert response.status_code == 400


def test_a_script_in_the_data_is_shown_as_text(
    session: Session, client: FlaskClient, admin: User
) -> None:
    make_product(session, sku="<B>", name="<script>alert(1)</script>")

    page = client.get("/admin/products/").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_search_finds_what_it_names(session: Session, client: FlaskClient, admin: User) -> None:
    make_product(session, sku="RED", name="Red mug")
    make_product(session, sku="BLUE", name="Blue mug")

    page = words(client.get("/admin/products/?search=red"))

    assert "Red mug" in page
    assert "Blue mug" not in page


def fill(session: Session, size: int) -> None:
    for n in range(size):
        category = make_category(session, f"Category {size}-{n}")
        product = make_product(session, category=category)
        product.tags = [make_tag(session, f"Tag {size}-{n}")]
        order = make_order(session, (product, 1, Decimal(5)), user=make_user(session))
        make_past(session, order)
        session.add(ChangeSet(actor_name="x", source="form", action="tag.create"))
    session.commit()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_list_sends_at_most_four_statements_whatever_its_length(
    session: Session,
    client: FlaskClient,
    admin: User,
    endpoint: str,
    statements: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(view, "PAGE_SIZE", 2)  # so that there is something to count
    fill(session, 3)
    few = statements(f"/admin/{endpoint}/?search=e")
    fill(session, 20)
    many = statements(f"/admin/{endpoint}/?search=e")

    assert few == many
    assert many <= 4 + 1  # and the test's own savepoint


@pytest.fixture
def statements(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """Return a function that says how many statements a page sent, as the request log has it."""

    def ask(path: str) -> int:
        caplog.clear()
        with caplog.at_level("INFO", "backoffice.request"):
            assert client.get(path).status_code == 200
        (record,) = [r for r in caplog.records if r.message == "request"]
        facts: dict[str, int] = record.facts  # type: ignore[attr-defined]
        return facts["statements"]

    return ask
