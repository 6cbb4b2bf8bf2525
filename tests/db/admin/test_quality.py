"""The page of the checks: for managers and operators, from a count to its rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role
from backoffice.admin.quality import LISTS
from backoffice.models import ChangeSet, Product, User
from backoffice.reports.quality.catalog import CHECKS
from tests.factories import count, make_product
from tests.pages import words

SignIn = Callable[[Role], User]
READERS = (Role.MANAGER, Role.OPERATOR, Role.ADMIN)


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_it_is_for_managers_and_operators(
    committed: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    sign_in(role)

    for page in ("/admin/quality/", "/admin/quality/stock-is-ledger"):
        assert client.get(page).status_code == (200 if role in READERS else 403)
    assert [one for one in Role if Permission.QUALITY_READ in GRANTS[one]] == list(READERS)


def test_a_shop_in_order_says_so(committed: Session, client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(Role.MANAGER)

    page = words(client.get("/admin/quality/"))

    assert f"pass All {len(CHECKS)} rules hold." in page
    one = words(client.get("/admin/quality/stock-is-ledger"))
    assert "pass The rule holds." in one


def test_a_count_leads_to_the_rows_and_each_row_to_its_record(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(committed, stock=3, unit_cost=1)
    sign_in(Role.MANAGER)

    page = client.get("/admin/quality/")
    rows = client.get("/admin/quality/stock-is-ledger")

    assert f"fail 1 of {len(CHECKS)} rules is broken." in words(page)
    first_row = page.text.partition('<ul class="rules')[2].partition("</li>")[0]
    assert "Stock is the sum of its movements" in first_row
    assert 'href="/admin/quality/stock-is-ledger">1 row<' in first_row
    assert f'href="/admin/products/details/?id={product.id}">{product}</a>' in rows.text
    assert f"{product} 0 3" in words(rows)
    assert count(committed, ChangeSet) == 0


def test_what_a_list_can_show_leads_to_the_list(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    make_product(committed)
    make_product(committed, is_available=False)
    make_product(committed, unit_cost=1)
    sign_in(Role.MANAGER)

    page = client.get("/admin/quality/").text
    link = re.search(r'href="(/admin/products/\?[^"]+)">1 row<', page)

    assert link is not None
    listed = client.get(link[1].replace("&amp;", "&")).text
    assert listed.partition("<tbody>")[2].count("<tr") == 1


def test_every_list_that_is_led_to_knows_the_filters(app: Flask) -> None:
    (console,) = app.extensions["admin"]
    views = {view.endpoint: view for view in console._views}
    tables = {check.slug: check.table for check in CHECKS}

    assert {check.table for check in CHECKS} <= set(views)
    for slug, filters in LISTS.items():
        known = [key for one in views[tables[slug]].filter_list for key in one.keys]
        assert set(filters) <= set(known)


def test_who_may_not_see_the_record_sees_the_row_without_a_link(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(committed, stock=3)
    sign_in(Role.OPERATOR)

    page = client.get("/admin/quality/stock-is-ledger").text

    assert str(product) in page
    assert "/admin/products/" not in page.partition("<main")[2]


def test_only_the_first_hundred_rows_are_shown(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    committed.add_all(
        Product(sku=f"X{number}", name="x", price=1, unit_cost=1, stock=1) for number in range(103)
    )
    committed.commit()
    sign_in(Role.MANAGER)

    response = client.get("/admin/quality/stock-is-ledger")

    assert response.text.partition("<tbody>")[2].count("<tr") == 100
    assert "These are the first 100 of 103." in words(response)


def test_a_check_that_is_not_there_is_not_found(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    assert client.get("/admin/quality/nonsense").status_code == 404


def test_a_check_that_was_stopped_offers_to_run_alone(
    committed: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.reports.quality.check.EACH_SECONDS", 0)
    sign_in(Role.MANAGER)

    page = client.get("/admin/quality/")

    assert "No broken rule was found, but not every check came to its end." in words(page)
    assert page.text.count("Run it alone") == len(CHECKS)
    assert committed.scalar(sa.select(sa.func.count(Product.id))) == 0
