"""Bulk changes and cells in a browser: by mouse, by keys, and without a script."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from backoffice.access import Role
from backoffice.models import Product
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.browser.watch import Watch
from tests.factories import make_product, make_tag


def make_rows(shop: Shop, prefix: str, count: int = 3) -> None:
    with shop.session() as session:
        for number in range(count):
            make_product(session, sku=f"{prefix}-{number}", name=f"{prefix} {number}")


def rows_of(shop: Shop, prefix: str) -> list[Product]:
    with shop.session() as session:
        found = sa.select(Product).where(Product.sku.startswith(prefix)).order_by(Product.sku)
        return list(session.scalars(found))


def cell(page: Page, sku: str, name: str) -> Locator:
    row = page.locator("tbody tr", has=page.get_by_role("link", name=sku))
    return row.locator(f"[data-cell={name}]")


def test_ticked_rows_are_changed_and_changed_back(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "TICK")
    page = browse(Role.MANAGER)
    page.goto("/admin/products/?search=TICK&sort=sku")
    page.get_by_label("Tick TICK-0").check()
    expect(page.locator(".bulk-bar")).to_contain_text("1 ticked row")
    page.get_by_label("Tick this page").check()
    expect(page.locator(".bulk-bar")).to_contain_text("3 ticked rows")
    page.get_by_label("Tick TICK-2").uncheck()
    page.get_by_label("Change").select_option("Take off sale")
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Take off sale: 2 products")
    page.get_by_label("Why").fill("out of season")
    page.get_by_role("button", name="Take off sale: 2 products").click()
    expect(page.locator(".plan")).to_contain_text("It is done.")
    assert [row.is_available for row in rows_of(shop, "TICK")] == [False, False, True]
    page.get_by_role("button", name="Undo: change 2 back").click()
    expect(page.locator(".plan")).to_contain_text("It was undone.")
    assert [row.is_available for row in rows_of(shop, "TICK")] == [True] * 3


@pytest.mark.parametrize("script", [True, False])
def test_prices_of_all_that_match_change_by_a_rule(
    browse: Browse, shop: Shop, script: bool
) -> None:
    prefix = f"RULE{script:d}"
    make_rows(shop, prefix, 60)
    page = browse(Role.MANAGER, java_script_enabled=script)
    page.goto(f"/admin/products/?search={prefix}")
    page.get_by_label("or all 60 that match").check()
    page.get_by_label("Change").select_option("Change price")
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Number").fill("501")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_text("From -100 to 500 per cent.")).to_be_visible()
    page.get_by_label("Number").fill("25")
    page.get_by_label("Round to the nearest price ending in .99").check()
    page.get_by_role("button", name="Preview").last.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("by +25 %, ending in .99: 60")
    expect(page.get_by_role("table")).to_contain_text("12.99")
    page.get_by_label("Why").fill("dearer")
    page.get_by_role("button", name="Change price: 60 products").click()
    expect(page.locator(".plan")).to_contain_text("It is done.")
    assert {row.price for row in rows_of(shop, prefix)} == {Decimal("12.99")}


def test_a_tag_is_chosen_without_a_script(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "PLAIN", 1)
    with shop.session() as session:
        make_tag(session, "plain choice")
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/products/?search=PLAIN")
    page.get_by_label("Tick PLAIN-0").check()
    page.get_by_label("Change").select_option("Add tag")
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Tags").select_option(label="plain choice")
    page.get_by_role("button", name="Preview").last.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Add tag plain choice: 1 product")


def test_what_an_action_asks_is_accessible(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "ASK", 1)
    page = browse(Role.MANAGER)
    found = {}
    for action in ("Change price", "Move to category", "Add tag"):
        page.goto("/admin/products/?search=ASK")
        page.get_by_label("Tick ASK-0").check()
        page.get_by_label("Change").select_option(action)
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("heading", level=1, name=action).wait_for()
        found[action] = violations(page)

    assert found == {"Change price": [], "Move to category": [], "Add tag": []}


def test_rows_are_ticked_by_keys(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "BYKEY")
    page = browse(Role.MANAGER)
    page.goto("/admin/products/?search=BYKEY&sort=sku")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")

    expect(page.locator(".bulk-bar")).to_contain_text("2 ticked rows")
    expect(page.get_by_label("Tick BYKEY-1")).to_be_checked()


def test_a_cell_is_edited_by_keys(browse: Browse, shop: Shop, watch: Watch) -> None:
    watch.expect(422)
    make_rows(shop, "CELL", 1)
    page = browse(Role.MANAGER)
    page.goto("/admin/products/?search=CELL")
    price = cell(page, "CELL-0", "price")
    price.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Price of CELL-0")).to_be_focused()
    page.keyboard.type("-1")
    page.keyboard.press("Enter")
    expect(price.get_by_role("alert")).to_have_text("Zero or more.")
    assert violations(page) == []
    page.keyboard.press("Control+A")
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")

    expect(price.get_by_role("button")).to_be_focused()
    expect(price).to_contain_text("12.50")
    (saved,) = rows_of(shop, "CELL")
    assert (saved.price, saved.version) == (Decimal("12.5"), 2)
    page.keyboard.press("Enter")
    page.keyboard.type("99")
    page.keyboard.press("Escape")
    expect(price.get_by_role("button")).to_be_focused()
    expect(price).to_contain_text("12.50")
    assert rows_of(shop, "CELL")[0].version == 2


def test_leaving_a_cell_saves_it(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "LEAVE", 1)
    page = browse(Role.MANAGER)
    page.goto("/admin/products/?search=LEAVE")
    cell(page, "LEAVE-0", "is_available").get_by_role("button").click()
    page.get_by_label("Available of LEAVE-0").uncheck()
    page.keyboard.press("Tab")
    expect(cell(page, "LEAVE-0", "is_available")).to_contain_text("no")
    cell(page, "LEAVE-0", "name").get_by_role("button").click()
    page.get_by_label("Name of LEAVE-0").fill("Left <b>")
    page.get_by_role("heading", level=1).click()

    expect(cell(page, "LEAVE-0", "name")).to_contain_text("Left <b>")
    (saved,) = rows_of(shop, "LEAVE")
    assert (saved.name, saved.is_available, saved.version) == ("Left <b>", False, 3)


@pytest.mark.parametrize(
    ("choice", "price"), [("Keep theirs", Decimal(15)), ("Save mine over it", Decimal(20))]
)
def test_a_cell_that_somebody_else_has_changed_shows_both(
    browse: Browse, shop: Shop, watch: Watch, choice: str, price: Decimal
) -> None:
    watch.expect(409)
    prefix = re.sub("[^A-Z]", "", choice.upper())
    make_rows(shop, prefix, 1)
    page = browse(Role.MANAGER)
    page.goto(f"/admin/products/?search={prefix}")
    with shop.session() as session:
        session.scalars(sa.select(Product).where(Product.sku == f"{prefix}-0")).one().price = 15  # type: ignore[assignment]
        session.commit()
    edited = cell(page, f"{prefix}-0", "price")
    edited.get_by_role("button").click()
    page.keyboard.type("20")
    page.keyboard.press("Enter")
    expect(edited.get_by_role("alert")).to_contain_text("Theirs: 15.00 GBP. Yours: 20.")
    assert violations(page) == []
    assert rows_of(shop, prefix)[0].price == Decimal(15)

    edited.get_by_role("button", name=choice).click()

    expect(edited.get_by_role("button")).to_have_count(1)
    expect(edited).to_contain_text(f"{price:.2f}")
    assert rows_of(shop, prefix)[0].price == price


def test_without_a_script_a_list_has_no_cells_to_edit(browse: Browse, shop: Shop) -> None:
    make_rows(shop, "STILL", 1)
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/products/?search=STILL")

    expect(page.locator("[data-cell] button")).to_have_count(0)
    page.get_by_role("link", name="STILL-0").click()
    expect(page.get_by_role("main").get_by_role("link", name="Edit").first).to_be_visible()
