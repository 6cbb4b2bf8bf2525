"""Choosing related rows in a browser: by typing, by keys, with and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from backoffice.access import Role
from backoffice.models import Category, Product, Tag
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.factories import make_product


@pytest.fixture
def product(shop: Shop) -> int:
    """A product, and more categories and tags than a select shows."""
    with shop.session() as session:
        product = make_product(session, name="To be sorted")
        for number in range(60):
            session.add(Category(name=f"Shelf {product.id}-{number:02}"))
        session.add(Tag(name=f"fragile {product.id}"))
        session.commit()
        return product.id


def open_form(page: Page, product: int) -> None:
    page.goto(f"/admin/products/edit/?id={product}")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rows_are_chosen_by_keys_alone(
    browse: Browse, shop: Shop, product: int, theme: str, width: int
) -> None:
    page = browse(Role.MANAGER, color_scheme=theme, viewport={"width": width, "height": 900})
    open_form(page, product)
    box = page.get_by_role("combobox", name="Category")
    box.press_sequentially(f"shelf {product}-0")
    expect(page.get_by_role("option")).to_have_count(10)
    box.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_text(f"Shelf {product}-01")
    assert violations(page) == []
    box.press("Enter")
    expect(page.get_by_role("button", name=f"Remove Shelf {product}-01")).to_be_visible()
    expect(box).to_be_focused()
    expect(page.get_by_role("listbox")).to_be_hidden()

    tags = page.get_by_role("combobox", name="Tags")
    tags.press_sequentially(f"fragile {product}")
    expect(page.get_by_role("option")).to_have_count(1)
    tags.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("successfully saved")).to_be_visible()

    with shop.session() as session:
        found = session.get_one(Product, product)
        assert (str(found.category), [str(tag) for tag in found.tags]) == (
            f"Shelf {product}-01",
            [f"fragile {product}"],
        )


def test_escape_closes_and_half_a_search_does_not_send_the_form(
    browse: Browse, product: int
) -> None:
    page = browse(Role.MANAGER)
    open_form(page, product)
    box = page.get_by_role("combobox", name="Category")
    box.press_sequentially("shelf")
    expect(page.get_by_role("option").first).to_be_visible()
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("")
    box.press_sequentially("nothing is called this")
    expect(page.get_by_text("Nothing is called that.").first).to_be_attached()
    box.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Edit")


def test_a_filter_is_set_by_typing(browse: Browse, product: int) -> None:
    page = browse(Role.MANAGER)
    page.goto("/admin/products/")
    page.get_by_text("Filter", exact=True).click()
    box = page.get_by_role("combobox", name="Category", exact=True)
    box.press_sequentially(f"shelf {product}-07")
    page.get_by_role("option", name=f"Shelf {product}-07").click()
    page.get_by_role("button", name="Apply").click()

    expect(page.get_by_text(f"Category: Shelf {product}-07")).to_be_visible()


def test_without_a_script_a_button_looks_rows_up(browse: Browse, shop: Shop, product: int) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    open_form(page, product)
    page.get_by_label("Name").fill("Half typed")
    page.get_by_role("textbox", name="Category").fill(f"{product}-33")
    page.get_by_role("button", name="Look up Category").click()
    expect(page.get_by_label("Name")).to_have_value("Half typed")
    page.get_by_role("radio", name=f"Shelf {product}-33").check()
    page.get_by_role("button", name="Save", exact=True).click()

    with shop.session() as session:
        assert str(session.get_one(Product, product).category) == f"Shelf {product}-33"
