"""From the first page of a list straight to a day."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect

from backoffice.access import Role
from tests.browser.conftest import Browse
from tests.browser.test_accessibility import violations


@pytest.mark.parametrize("java_script", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_list_jumps_to_a_day(
    browse: Browse, theme: Literal["light", "dark"], java_script: bool
) -> None:
    page = browse(
        Role.MANAGER,
        color_scheme=theme,
        java_script_enabled=java_script,
        viewport={"width": 390, "height": 900},
    )
    page.goto("/admin/orders/?sort=placed_at")
    page.get_by_label("Jump to Placed at").fill("2026-06-01")
    page.get_by_role("button", name="Go", exact=True).click()

    expect(page.locator("tbody tr").first.locator("time")).to_contain_text("2026-06")
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    if java_script:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
