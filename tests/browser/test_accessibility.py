"""axe finds nothing at all, on every kind of page, in both themes, on a desk and on a phone."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from backoffice.access import Role
from tests.browser.conftest import Browse, Shop
from tests.browser.places import SIGNED_OUT, addresses
from tests.browser.watch import Watch


def violations(page: Page) -> list[str]:
    """Return what axe finds, of any impact, each with the elements that it is about."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_kind_of_page_is_accessible(
    browse: Browse, shop: Shop, watch: Watch, theme: Literal["light", "dark"], width: int
) -> None:
    watch.expect(400, 404)
    viewport = {"width": width, "height": 900}
    stranger = browse(color_scheme=theme, viewport=viewport)
    admin = browse(Role.ADMIN, color_scheme=theme, viewport=viewport)
    found = {}

    for kind, address in addresses(shop).items():
        page = stranger if kind in SIGNED_OUT else admin
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        if kind == "report":
            page.locator("#report-chart svg").wait_for()
        if faults := violations(page):
            found[kind] = faults

    assert found == {}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_opens_on_a_list_is_accessible(
    browse: Browse, theme: Literal["light", "dark"], width: int
) -> None:
    page = browse(Role.ADMIN, color_scheme=theme, viewport={"width": width, "height": 900})
    page.goto("/admin/orders/")
    found = {}

    for menu in page.locator("main details").all():
        menu.evaluate("(element) => { element.open = true }")
        found[menu.locator("summary").inner_text()] = violations(page)
        menu.evaluate("(element) => { element.open = false }")
    page.get_by_role("button", name="admin").click()
    found["person"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+K")
    page.keyboard.type("products")
    page.locator("#palette-list").get_by_role("option").first.wait_for()
    found["palette"] = violations(page)

    assert len(found) > 2
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("kind", ["list", "record", "form", "report", "health", "backups", "home"])
def test_a_page_is_no_wider_than_a_phone(browse: Browse, shop: Shop, kind: str) -> None:
    page = browse(Role.ADMIN, viewport={"width": 390, "height": 844})
    page.goto(addresses(shop)[kind])

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
