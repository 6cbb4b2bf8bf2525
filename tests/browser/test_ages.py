"""The age of a moment in a list gives way to the exact one, for the mouse and for the keyboard."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Locator, expect

from backoffice.access import Role
from backoffice.db import utc_now
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.factories import make_tag


def shown(cell: Locator) -> list[str]:
    """Return the classes of what can be seen of a moment."""
    seen: list[str] = cell.locator("span").evaluate_all(
        "(all) => all.filter((e) => getComputedStyle(e).opacity === '1').map((e) => e.className)"
    )
    return seen


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_exact_moment_shows_while_its_row_is_looked_at(
    browse: Browse, shop: Shop, theme: Literal["light", "dark"]
) -> None:
    with shop.session() as session:
        tag = make_tag(session, f"aged {theme}")
        tag.updated_at = utc_now() - timedelta(hours=3, minutes=5)
        session.commit()
    page = browse(Role.MANAGER, color_scheme=theme)
    page.goto(f"/admin/tags/?search=aged+{theme}")
    row, moment = page.locator("tbody tr"), page.locator("tbody time")
    page.mouse.move(0, 0)
    expect(moment).to_contain_text("3 h ago")
    assert shown(moment) == ["near"]
    assert violations(page) == []
    width = moment.evaluate("(element) => element.offsetWidth")

    row.hover()
    assert shown(moment) == ["exact"]
    page.mouse.move(0, 0)
    assert shown(moment) == ["near"]
    page.keyboard.press("j")
    assert shown(moment) == ["exact"]
    assert violations(page) == []
    assert moment.evaluate("(element) => element.offsetWidth") == width
