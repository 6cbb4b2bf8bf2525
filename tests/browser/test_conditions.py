"""Fields come and go with what they depend on; without a script all are there, with a hint."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from backoffice.access import Role
from backoffice.models import Product
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.browser.test_budgets import _SHIFT
from tests.factories import make_product


@pytest.fixture
def product_id(shop: Shop) -> int:
    with shop.session() as session:
        return make_product(session, low_stock_threshold=7).id


def stored(shop: Shop, product_id: int) -> tuple[Any, ...]:
    with shop.session() as session:
        product = session.get_one(Product, product_id)
        return product.is_available, product.low_stock_threshold


def test_a_field_goes_away_and_keeps_what_it_had(
    browse: Browse, shop: Shop, product_id: int
) -> None:
    page = browse(Role.MANAGER)
    page.goto(f"/admin/products/edit/?id={product_id}")
    threshold = page.get_by_label("Low stock threshold")
    expect(page.get_by_text("Used only while")).to_be_hidden()
    threshold.fill("9")
    page.get_by_label("Available").uncheck()
    expect(threshold).to_be_hidden()
    assert violations(page) == []
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_text("successfully saved")).to_be_visible()
    assert stored(shop, product_id) == (False, 7)
    expect(threshold).to_be_hidden()
    assert page.evaluate(_SHIFT) == 0
    page.get_by_label("Available").check()
    threshold.fill("9")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("successfully saved")).to_be_visible()
    assert stored(shop, product_id) == (True, 9)


def test_without_a_script_it_is_there_with_a_hint(
    browse: Browse, shop: Shop, product_id: int
) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto(f"/admin/products/edit/?id={product_id}")
    expect(page.get_by_text("Used only while the product is available.")).to_be_visible()
    page.get_by_label("Available").uncheck()
    page.get_by_label("Low stock threshold").fill("9")
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_label("Low stock threshold")).to_have_accessible_description(
        "At this stock or below, the product counts as low. "
        "Used only while the product is available. "
        "Used only while the product is available. Leave it as it was."
    )
    page.get_by_label("Low stock threshold").fill("7")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("status")).to_contain_text("successfully saved")
    assert stored(shop, product_id) == (False, 7)
    expect(page.get_by_label("Low stock threshold")).to_be_visible()
