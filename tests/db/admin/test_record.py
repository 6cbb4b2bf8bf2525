"""The page of a record: groups, what belongs to it, and its past."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role
from backoffice.admin.base import TableView
from backoffice.admin.listing import counting
from backoffice.admin.products import ProductView
from backoffice.models import ChangeSet, MovementKind, OrderStatus, Product, User
from tests.factories import (
    make_category,
    make_order,
    make_past,
    make_price_change,
    make_product,
    make_profile,
    make_tag,
    make_user,
    move_stock,
)
from tests.pages import post, words

SignIn = Callable[[Role], User]
ONE = Decimal(1)


def page_of(client: FlaskClient, endpoint: str, key: int) -> str:
    response = client.get(f"/admin/{endpoint}/details/?id={key}")
    assert response.status_code == 200
    return response.text


def test_facts_come_in_their_groups(session: Session, client: FlaskClient, sign_in: SignIn) -> None:
    product = make_product(session, description="Holds tea.")
    sign_in(Role.SUPPORT)

    page = words(client.get(f"/admin/products/details/?id={product.id}"))

    article, price, more = (page.index(title) for title in ("Article", "Price and stock", "More"))
    assert article < page.index("Holds tea.") < price < page.index("Unit cost") < more
    assert more < page.index("Created at")


def test_a_group_of_what_is_not_there_stops_the_start() -> None:
    class Wrong(ProductView):
        groups = {"Nonsense": ("sku", "colour")}

    with pytest.raises(TypeError, match="colour"):
        Wrong(name="x", endpoint="wrong")


def test_every_panel_leads_to_a_list_that_knows_its_filter(app: Flask) -> None:
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views}
    panels = [
        (view.endpoint, panel)
        for view in views.values()
        if isinstance(view, TableView)
        for panel in view.panels
    ]

    assert len(panels) >= 4
    for endpoint, panel in panels:
        filters = [one.name for one in views[panel.endpoint].filter_list]
        assert panel.filter in filters, endpoint


def test_a_panel_shows_the_newest_ten_and_leads_to_all(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user, product = make_user(session), make_product(session)
    orders = [make_order(session, (product, 1, ONE), user=user) for _ in range(12)]
    make_order(session, (product, 1, ONE), user=make_user(session))
    sign_in(Role.ADMIN)

    page = page_of(client, "users", user.id)

    shown = [order.number for order in orders if order.number in page]
    assert shown == [order.number for order in orders[2:]]
    assert f'href="/admin/orders/details/?id={orders[2].id}"' in page
    link = re.search(r'href="(/admin/orders/\?user=\d+)">All 12<', page)
    assert link is not None
    assert client.get(link[1]).text.partition("<tbody>")[2].count("<tr") == 12


def test_a_product_shows_its_ledger_and_its_prices(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(session, price=Decimal(10))
    move_stock(session, product, 5)
    move_stock(session, product, -2, MovementKind.WRITE_OFF, reason="Broken in the store")
    make_price_change(session, product, Decimal(12))
    sign_in(Role.SUPPORT)

    page = words(client.get(f"/admin/products/details/?id={product.id}"))

    assert "write off -2 3 Broken in the store tester" in page
    assert "10.00 GBP 12.00 GBP" in page


def test_a_product_shows_what_is_for_sale_what_is_promised_and_what_lies_in_the_store(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(session, tags=[make_tag(session, "eco"), make_tag(session, "blue")])
    move_stock(session, product, 12)
    make_order(session, (product, 3, ONE), status=OrderStatus.PAID)
    make_order(session, (product, 5, ONE), status=OrderStatus.COMPLETED)
    sign_in(Role.SUPPORT)

    page = words(client.get(f"/admin/products/details/?id={product.id}"))

    assert "For sale 12 Committed to open orders 3 On hand 15 " in page
    assert "Tags blue, eco" in page


def test_a_panel_does_not_count_for_ever(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, product = make_user(session), make_product(session)
    for _ in range(12):
        make_order(session, (product, 1, ONE), user=user)
    monkeypatch.setattr(counting, "CAP", 11)
    monkeypatch.setattr("backoffice.admin.record.CAP", 11)
    sign_in(Role.ADMIN)

    assert ">All 11+<" in page_of(client, "users", user.id)


def test_a_profile_shows_the_orders_of_its_person(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    user = make_user(session)
    make_user(session)
    order = make_order(session, (make_product(session), 1, ONE), user=user)
    sign_in(Role.SUPPORT)

    assert order.number in page_of(client, "profiles", make_profile(session, user).id)


def test_a_panel_needs_the_permission_of_its_own_list(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session)
    order = make_order(session, (make_product(session), 1, ONE), user=user)
    admin = sign_in(Role.ADMIN)
    assert order.number in page_of(client, "users", user.id)

    without = GRANTS[admin.role] - {Permission.ORDER_READ}
    monkeypatch.setitem(GRANTS, admin.role, without)
    page = page_of(client, "users", user.id)

    assert order.number not in page
    assert "/admin/orders/?user" not in page


def test_the_past_is_for_those_who_may_read_the_change_log(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    tag = make_tag(session, "old")
    editor = sign_in(Role.MANAGER)
    post(client, f"/admin/tags/edit/?id={tag.id}", name="new", row_version="1")

    page = page_of(client, "tags", tag.id)
    history = page.partition('id="history-title"')[2]
    assert f"<strong>{editor.username}</strong>" in history
    assert "tag.update" in history
    assert "<del>old</del>" in history
    assert "<ins>new</ins>" in history

    sign_in(Role.SUPPORT)
    assert "history-title" not in page_of(client, "tags", tag.id)


def test_a_long_past_leads_to_its_part_of_the_change_log(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    tag = make_tag(session, "old")
    for number in range(12):
        session.add(
            ChangeSet(
                actor_name=f"actor{number:02}",
                source="form",
                action="tag.update",
                table_name="tags",
                record_id=tag.id,
            )
        )
    session.add(ChangeSet(actor_name="x", source="form", action="tag.create", table_name="tags"))
    session.commit()
    sign_in(Role.MANAGER)

    page = page_of(client, "tags", tag.id)

    names = re.findall(r"<strong>(actor\d\d)</strong>", page)
    assert names == [f"actor{number:02}" for number in range(11, 1, -1)]
    link = re.search(r'href="(/admin/change_sets/\?[^"]+)">All changes', page)
    assert link is not None
    address = link[1].replace("&amp;", "&")
    assert address == f"/admin/change_sets/?table_name=tags&record_id={tag.id}"
    listed = client.get(address).text
    assert listed.partition("<tbody>")[2].count("<tr") == 12
    assert f"Record id: {tag.id}" in listed


def fill(session: Session, times: int) -> tuple[dict[str, int], Product]:
    """A record in each table with so many rows around it."""
    user, category = make_user(session), make_category(session, f"Top {times}")
    product = make_product(session, category=category)
    product.tags = [make_tag(session, f"tag {times}-{number}") for number in range(times)]
    order = make_order(session, (product, 1, ONE), user=user)
    for number in range(times):
        make_category(session, f"Low {number}", category)
        make_product(session, category=category)
        make_order(session, (product, 1, ONE), user=user)
    keys = {
        "users": user.id,
        "products": product.id,
        "categories": category.id,
        "orders": order.id,
        "order_items": order.items[0].id,
        **make_past(session, order),
        "tags": product.tags[0].id,
        "profiles": make_profile(session, user).id,
    }
    for table, key in keys.items():
        for number in range(times):
            session.add(
                ChangeSet(
                    actor_name=str(number),
                    source="form",
                    action="x.update",
                    table_name=table,
                    record_id=key,
                )
            )
    session.commit()
    return keys, product


def test_a_record_takes_five_statements_and_one_for_each_panel_whatever_surrounds_it(
    app: Flask,
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign_in(Role.ADMIN)
    caplog.set_level("INFO", "backoffice.request")
    counts: list[dict[str, int]] = []

    for times in (1, 15):
        keys, _ = fill(session, times)
        counts.append({})
        for endpoint, key in keys.items():
            page_of(client, endpoint, key)
            # Not the last one: on a busy machine a slow statement is told after it.
            told = [one for one in caplog.records if one.getMessage() == "request"]
            counts[-1][endpoint] = told[-1].facts["statements"]  # type: ignore[attr-defined]

    assert counts[0] == counts[1]
    (console,) = app.extensions["admin"]
    views = {view.endpoint: view for view in console._views}
    for endpoint, number in counts[0].items():
        # An order shows its items and its refunds as well.
        own = {"orders": 2}.get(endpoint, 0)
        assert number <= 5 + own + len(views[endpoint].panels), endpoint
    # Six of its own; the savepoint of the test's session is counted as well.
    assert counts[0]["products"] <= 6 + 1


def test_a_form_has_the_sections_of_the_record_and_help(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)

    page = words(client.get("/admin/products/new/"))

    parts = ["Article", "SKU *", "Unique; kept in capital letters.", "Price and stock", "Price *"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_after_saving_one_may_go_on_with_another(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)

    response = post(client, "/admin/tags/new/", name="new", _add_another="1")

    assert response.location.startswith("/admin/tags/new/")
    assert "Save and add another" in words(client.get(response.location))
