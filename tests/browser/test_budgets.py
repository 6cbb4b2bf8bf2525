"""What a list costs a person's connection, and that nothing moves while it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page

from backoffice.access import Role
from tests.browser.conftest import Browse

_SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""


@dataclass
class Traffic:
    """What a page fetched from the server, and how much of it went over the wire."""

    requests: int = 0
    bytes: int = 0

    def measure(self, page: Page, address: str) -> Traffic:
        """Open the page and count."""
        wire = page.context.new_cdp_session(page)
        wire.on("Network.responseReceived", self._received)
        wire.on("Network.loadingFinished", self._finished)
        wire.send("Network.enable")
        page.goto(address, wait_until="networkidle")
        wire.detach()
        return self

    def _received(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if not (response.get("fromDiskCache") or event["response"]["url"].startswith("data:")):
            self.requests += 1

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


def test_a_list_is_light(browse: Browse) -> None:
    page = browse(Role.MANAGER)
    state = page.context.storage_state()
    fresh = browse(storage_state=state)
    cold = Traffic().measure(fresh, "/admin/orders/")
    warm = Traffic().measure(fresh, "/admin/orders/")

    assert cold.requests <= 12
    assert cold.bytes <= 120_000
    assert warm.bytes <= 15_000


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("address", ["/admin/", "/admin/orders/", "/admin/products/"])
def test_nothing_moves_while_a_page_arrives(browse: Browse, address: str, width: int) -> None:
    page = browse(Role.MANAGER, viewport={"width": width, "height": 900})
    page.goto(address, wait_until="load")

    assert page.evaluate(_SHIFT) == 0


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("slug", ["revenue_by_month", "revenue_by_category"])
def test_nothing_moves_when_a_chart_is_drawn(browse: Browse, slug: str, width: int) -> None:
    page = browse(Role.MANAGER, viewport={"width": width, "height": 900})
    page.goto(f"/admin/reports/{slug}", wait_until="load")
    chart = page.locator("#report-chart svg")
    chart.wait_for()

    assert page.evaluate(_SHIFT) == 0
    kept = page.locator(".report-chart > svg").get_attribute("height")
    assert chart.evaluate("(element) => element.clientHeight") == int(kept or 0)
