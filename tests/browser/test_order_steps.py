"""An order is cancelled and refunded in a dialog, by keyboard, and without scripts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from backoffice.access import Role, command_actor
from backoffice.models import Order, OrderStatus, Refund
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.browser.watch import Watch
from tests.db.services.shopping import paid_order, stocked


def paid(shop: Shop) -> int:
    """Make an order of three mugs at 10.00 that is paid; return its id."""
    with shop.session() as session:
        mugs = stocked(session, name="Blue mug", price=Decimal(10))
        return int(paid_order(session, command_actor("tester"), (mugs, 3)).id)


def refunds(shop: Shop, order: int) -> list[tuple[Decimal, int, int]]:
    """Return amount, units and units put back of the order's refunds."""
    with shop.session() as session:
        found = session.scalars(sa.select(Refund).where(Refund.order_id == order))
        return [(r.amount, r.items[0].quantity, r.items[0].restock_quantity) for r in found]


def open_step(page: Page, order: int, name: str) -> None:
    page.goto(f"/admin/orders/details/?id={order}")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("dialog", name=re.compile(name))).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_refund_is_made_in_its_dialog(
    browse: Browse, shop: Shop, watch: Watch, theme: Literal["light", "dark"], width: int
) -> None:
    watch.expect(422)
    order = paid(shop)
    page = browse(Role.SUPPORT, color_scheme=theme, viewport={"width": width, "height": 900})
    open_step(page, order, "Refund")
    dialog = page.get_by_role("dialog")

    dialog.get_by_label("Refund of Blue mug").fill("2")
    expect(dialog.get_by_label("Amount of Blue mug")).to_have_value("20.00")
    expect(dialog.get_by_label("Put back of Blue mug")).to_have_value("2")
    dialog.get_by_label("Put back of Blue mug").fill("1")
    dialog.get_by_role("button", name="Refund", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Write why.")
    expect(dialog.get_by_label("Refund of Blue mug")).to_have_value("2")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    dialog.get_by_label("Why").fill("Damaged")
    dialog.get_by_role("button", name="Refund", exact=True).click()
    page.wait_for_url(f"**/admin/orders/details/?id={order}")
    expect(page.get_by_text("Has the money gone?")).to_be_visible()
    assert violations(page) == []
    assert refunds(shop, order) == [(Decimal(20), 2, 1)]


def test_an_order_is_cancelled_by_keyboard(browse: Browse, shop: Shop) -> None:
    order = paid(shop)
    page = browse(Role.MANAGER)
    page.goto(f"/admin/orders/details/?id={order}")
    page.get_by_role("link", name="Cancel order").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 × Blue mug")
    expect(dialog).to_contain_text("30.00 USD in all")
    expect(dialog.get_by_label("Why")).to_be_focused()
    assert violations(page) == []

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Cancel order")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Why")).to_be_focused()
    page.keyboard.type("Out of stock")
    page.keyboard.press("Enter")

    expect(page.get_by_text("is cancelled.")).to_be_visible()
    with shop.session() as session:
        assert session.get_one(Order, order).status is OrderStatus.CANCELLED


def test_a_dialog_that_came_too_late_says_so_and_keeps_what_was_typed(
    browse: Browse, shop: Shop, watch: Watch
) -> None:
    watch.expect(409)
    order = paid(shop)
    page = browse(Role.MANAGER)
    open_step(page, order, "Cancel order")
    other = browse(Role.MANAGER)
    other.goto(f"/admin/orders/details/?id={order}")
    other.get_by_role("button", name="Start packing").click()
    expect(other.get_by_text("is being packed")).to_be_visible()

    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("Out of stock")
    dialog.get_by_role("button", name="Cancel and refund").click()

    expect(dialog.get_by_role("alert")).to_contain_text("has changed since you opened it")
    expect(dialog.get_by_label("Why")).to_have_value("Out of stock")


def test_a_refund_is_made_without_scripts(browse: Browse, shop: Shop) -> None:
    order = paid(shop)
    page = browse(Role.SUPPORT, java_script_enabled=False)
    page.goto(f"/admin/orders/details/?id={order}")
    page.get_by_role("link", name="Refund", exact=True).click()
    page.get_by_label("Refund of Blue mug").fill("1")
    page.get_by_role("button", name="Work out the amounts").last.click()
    expect(page.get_by_label("Amount of Blue mug")).to_have_value("10.00")
    page.get_by_label("Why").fill("Damaged")
    page.get_by_role("button", name="Refund 10.00 USD").click()

    expect(page.get_by_text("are reserved to be given back")).to_be_visible()
    assert refunds(shop, order) == [(Decimal(10), 1, 0)]


def test_who_need_not_know_the_customer_reveals_one_with_a_reason(
    browse: Browse, shop: Shop
) -> None:
    order = paid(shop)
    page = browse(Role.ANALYST)
    page.goto(f"/admin/orders/details/?id={order}")
    expect(page.get_by_text("guest@example.com")).to_have_count(0)
    page.get_by_text("Reveal…").click()
    assert violations(page) == []
    page.get_by_label("Why do you need to know?").fill("A parcel came back")
    page.get_by_role("button", name="Reveal", exact=True).click()
    expect(page.get_by_text("guest@example.com")).to_be_visible()
