"""What a picker lacks is made in a panel beside the form, and nothing typed is lost."""

from __future__ import annotations

from typing import Literal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from backoffice.access import Role
from backoffice.models import Category, Product, Tag
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.browser.watch import Watch


def open_panel(page: Page, name: str) -> None:
    """Begin a product, and find that something to choose is missing."""
    page.goto("/admin/products/new/")
    page.get_by_label("Name").fill("Half typed")
    page.get_by_role("button", name=f"New {name}").click()
    expect(page.get_by_role("dialog", name=f"New {name}")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_missing_category_is_made_and_chosen(
    browse: Browse, shop: Shop, watch: Watch, theme: Literal["light", "dark"], width: int
) -> None:
    watch.expect(422)
    page = browse(Role.MANAGER, color_scheme=theme, viewport={"width": width, "height": 900})
    open_panel(page, "category")
    panel = page.get_by_role("dialog", name="New category")
    expect(panel.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("Name: This field is required.")
    assert violations(page) == []
    panel.get_by_label("Name").fill(f"Lamps {theme} {width}")
    page.keyboard.press("Enter")

    expect(panel).to_be_hidden()
    expect(page.get_by_label("Name")).to_have_value("Half typed")
    page.get_by_label("SKU").fill(f"LAMP-{theme}-{width}")
    page.get_by_label("Price").fill("10")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**/admin/products/")
    with shop.session() as session:
        sku = Product.sku == f"LAMP-{theme}-{width}".upper()
        made = session.scalars(sa.select(Product).where(sku)).one()
        assert (str(made.category), made.name) == (f"Lamps {theme} {width}", "Half typed")


def test_a_missing_tag_joins_those_that_are_chosen(browse: Browse, shop: Shop) -> None:
    page = browse(Role.MANAGER)
    open_panel(page, "tag")
    page.get_by_role("dialog").get_by_label("Name").fill("made beside")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()

    expect(page.get_by_role("button", name="Remove made beside")).to_be_visible()
    expect(page.get_by_role("combobox", name="Tags")).to_be_focused()
    with shop.session() as session:
        assert session.scalars(sa.select(Tag).where(Tag.name == "made beside")).one()


def test_a_panel_that_was_closed_opens_as_it_was_left(browse: Browse, shop: Shop) -> None:
    page = browse(Role.MANAGER)
    open_panel(page, "category")
    page.get_by_role("dialog").get_by_label("Name").fill("Never saved")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="New category")).to_be_focused()
    page.keyboard.press("Space")

    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("Never saved")
    with shop.session() as session:
        assert session.scalar(sa.select(Category).where(Category.name == "Never saved")) is None


def test_a_panel_that_cannot_be_opened_says_so(browse: Browse, watch: Watch) -> None:
    watch.expect(500)
    page = browse(Role.MANAGER)
    page.route("**/categories/new/?panel=1", lambda route: route.fulfill(status=500))
    page.goto("/admin/products/new/")
    page.get_by_role("button", name="New category").click()

    expect(page.get_by_role("dialog")).to_contain_text("This could not be opened")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_without_a_script_it_is_a_page_in_a_new_tab(browse: Browse) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/products/new/")
    page.get_by_label("Name").fill("Half typed")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="New category").click()

    expect(opened.value.get_by_role("heading", level=1)).to_have_text("New category")
    expect(page.get_by_label("Name")).to_have_value("Half typed")
