"""The whole way through the console without a mouse: only keys, and the focus always in sight."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from backoffice.access import Role
from backoffice.models import Product
from tests.browser.conftest import Browse, Shop
from tests.factories import PASSWORD, make_product

_STEPS = 150
_FOCUS = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    what: element.outerHTML.slice(0, 120),
    shown: style.outlineStyle !== "none" || style.boxShadow !== "none",
    covered: !(top && (element.contains(top) || top.contains(element))),
  };
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus; the focus is in sight at every step."""
    target.wait_for()
    for _ in range(_STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        assert focus["shown"], f"the focus cannot be seen on {focus['what']}"
        assert not focus["covered"], f"something covers the focus on {focus['what']}"
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached by Tab")


def test_a_record_is_found_edited_and_left_by_keys_alone(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        product_id = make_product(session, sku="KEYS-1", name="Key ring").id
    page = browse(reduced_motion="reduce")
    page.goto("/login")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(Role.MANAGER.value)
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    tab_to(page, page.get_by_role("navigation").get_by_role("link", name="Products"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("searchbox", name="Search products"))
    page.keyboard.type("KEYS-1")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("table").get_by_role("link", name="KEYS-1"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Edit").first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.press("Control+A")
    page.keyboard.type("Key ring, brass")
    tab_to(page, page.get_by_role("button", name="Save", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("successfully saved")).to_be_visible()

    tab_to(page, page.get_by_role("button", name="manager"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign out", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    with shop.session() as session:
        assert session.get_one(Product, product_id).name == "Key ring, brass"


def test_the_first_key_leads_past_the_menu(browse: Browse) -> None:
    page = browse(Role.MANAGER)
    page.goto("/admin/products/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_mistakes_lead_to_their_fields(browse: Browse) -> None:
    page = browse(Role.MANAGER, reduced_motion="reduce")
    page.goto("/admin/products/new/")
    page.get_by_role("button", name="Save", exact=True).click()
    tab_to(page, page.get_by_role("alert").get_by_role("link", name="Name"))
    page.keyboard.press("Enter")
    page.keyboard.type("Typed where the link led")

    expect(page.get_by_label("Name")).to_have_value("Typed where the link led")
