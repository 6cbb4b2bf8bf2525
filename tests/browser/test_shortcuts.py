"""Keys for those who work lists all day, and their off switch."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from backoffice.access import Role
from tests.browser.conftest import Browse


def enter(browse: Browse) -> Page:
    page = browse(Role.SUPPORT)
    page.goto("/admin/orders/?all=")
    return page


def test_slash_searches_j_and_k_walk_the_rows_and_enter_opens(browse: Browse) -> None:
    page = enter(browse)
    rows = page.locator(".list tbody tr a")

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jk")
    expect(page.get_by_role("searchbox")).to_have_value("jk")
    page.get_by_role("searchbox").blur()
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    number = rows.nth(1).inner_text()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text(number)


def test_a_question_mark_shows_the_map_and_escape_closes_it(browse: Browse) -> None:
    page = enter(browse)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_keys_can_be_switched_off(browse: Browse) -> None:
    page = enter(browse)
    page.goto("/admin/profile/")
    page.get_by_label("Single keys").select_option("off")
    page.get_by_role("button", name="Save").click()
    page.goto("/admin/orders/?all=")

    page.keyboard.press("/")
    page.keyboard.press("?")

    expect(page.get_by_role("searchbox")).not_to_be_focused()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.goto("/admin/profile/")
    page.get_by_label("Single keys").select_option("")
    page.get_by_role("button", name="Save").click()
