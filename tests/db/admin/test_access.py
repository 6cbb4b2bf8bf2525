"""Every page of the console against every role; what is not granted is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role
from backoffice.models import BulkPlan, BulkPlanRow, ChangeSet, Product, RowOutcome, Tag, User
from tests.factories import (
    count,
    make_category,
    make_login,
    make_order,
    make_past,
    make_product,
    make_profile,
    make_tag,
    make_user,
)
from tests.pages import post

P = Permission
STAFF = [role for role in Role if role.is_staff]
LISTS = {
    "orders": (P.ORDER_READ, P.ORDER_WRITE),
    "order_items": (P.ORDER_READ, None),
    "payments": (P.ORDER_READ, None),
    "refunds": (P.ORDER_READ, None),
    "order_events": (P.ORDER_READ, None),
    "stock_movements": (P.CATALOGUE_READ, None),
    "price_changes": (P.CATALOGUE_READ, None),
    "products": (P.CATALOGUE_READ, P.CATALOGUE_WRITE),
    "categories": (P.CATALOGUE_READ, P.CATALOGUE_WRITE),
    "tags": (P.CATALOGUE_READ, P.CATALOGUE_WRITE),
    "customers": (P.CUSTOMER_READ, None),
    "profiles": (P.CUSTOMER_READ, P.CUSTOMER_WRITE),
    "users": (P.USER_READ, P.USER_WRITE),
    "bulk_plans": (P.CATALOGUE_READ, None),
    "bulk_plan_rows": (P.CATALOGUE_READ, None),
    "change_sets": (P.AUDIT_READ, None),
}
CREATABLE = {"products", "categories", "tags", "users"}
OPEN_TO_STRANGERS = {
    "static",
    "bootstrap.static",
    "login.login",
    "login.logout",
    "login.logout_everywhere",
    "login.home",
    "probes.live",
    "probes.ready",
}


def rows(session: Session) -> dict[str, int]:
    """One row in each table: {endpoint: id}."""
    user = make_user(session)
    product = make_product(session, category=make_category(session, "Mugs"))
    order = make_order(session, (product, 1, Decimal(5)), user=user)
    change_set = ChangeSet(actor_name="x", source="form", action="tag.create")
    bulk = BulkPlan(actor_name="x", table_name="products", action="publish", options={}, query="")
    session.add_all([change_set, bulk])
    session.flush()
    row = BulkPlanRow(
        plan_id=bulk.id,
        record_id=product.id,
        record_label="x",
        version=1,
        outcome=RowOutcome.PLANNED,
    )
    session.add(row)
    session.commit()
    return {
        "bulk_plans": bulk.id,
        "bulk_plan_rows": row.id,
        "orders": order.id,
        "order_items": order.items[0].id,
        **make_past(session, order),
        "products": product.id,
        "categories": product.category_id or 0,
        "tags": make_tag(session, "new").id,
        "profiles": make_profile(session, user).id,
        "customers": user.id,
        "users": user.id,
        "change_sets": change_set.id,
    }


@pytest.mark.parametrize("role", STAFF)
def test_lists_and_records_are_for_those_who_may_read(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], role: Role
) -> None:
    ids = rows(session)
    sign_in(role)
    for endpoint, (read, _write) in LISTS.items():
        expected = 200 if read in GRANTS[role] else 403
        for path in (f"/admin/{endpoint}/", f"/admin/{endpoint}/details/?id={ids[endpoint]}"):
            assert client.get(path).status_code == expected, path


@pytest.mark.parametrize("role", STAFF)
def test_forms_are_for_those_who_may_write(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], role: Role
) -> None:
    ids = rows(session)
    sign_in(role)
    for endpoint, (_read, write) in LISTS.items():
        may = write in GRANTS[role]
        edit = client.get(f"/admin/{endpoint}/edit/?id={ids[endpoint]}")
        new = client.get(f"/admin/{endpoint}/new/")
        assert edit.status_code == (200 if may else 403), endpoint
        assert new.status_code == (200 if may and endpoint in CREATABLE else 403), endpoint


@pytest.mark.parametrize("role", [r for r in STAFF if P.CATALOGUE_WRITE not in GRANTS[r]])
def test_a_write_without_the_permission_leaves_no_trace(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], role: Role
) -> None:
    tag = make_tag(session, "old")
    sign_in(role)

    answers = [
        post(client, "/admin/tags/new/", name="x"),
        post(client, f"/admin/tags/edit/?id={tag.id}", name="x", row_version="1"),
        post(client, "/admin/tags/delete/", id=tag.id),
        post(client, "/admin/tags/action/", action="delete", rowid=tag.id),
        post(client, "/admin/tags/ajax/update/", list_form_pk=tag.id, name="x"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    session.refresh(tag)
    assert (tag.name, count(session, Tag), count(session, ChangeSet)) == ("old", 1, 0)


def test_no_write_works_without_the_token(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    product = make_product(session)
    sign_in(Role.ADMIN)

    for path in ("new/", f"edit/?id={product.id}", "delete/", "action/", "ajax/update/"):
        assert client.post(f"/admin/products/{path}", data={"id": product.id}).status_code == 400

    assert (count(session, Product), count(session, ChangeSet)) == (1, 0)


def test_every_address_is_closed_to_strangers(
    session: Session, app: Flask, client: FlaskClient
) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_TO_STRANGERS:
            continue
        path = app.url_map.bind("localhost").build(
            rule.endpoint, dict.fromkeys(rule.arguments, "x"), force_external=False
        )
        for method in (rule.methods or set()) & {"GET", "POST"}:
            status = client.open(path, method=method).status_code
            assert status in ((302, 401) if method == "GET" else (400, 401)), rule.endpoint


def test_a_customer_account_sees_nothing(session: Session, client: FlaskClient) -> None:
    user = make_user(session, Role.CUSTOMER)
    with client.session_transaction() as cookie:
        cookie.update(make_login(session, user))

    assert client.get("/admin/orders/").status_code == 302
