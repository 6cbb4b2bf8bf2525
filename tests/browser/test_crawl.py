"""Every role follows every link that it is shown, and none leads to an error."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urldefrag, urlsplit

import pytest
from playwright.sync_api import Error, Page
from werkzeug.exceptions import HTTPException

from backoffice.access import Role
from backoffice.admin.base import TableView
from tests.browser.conftest import STAFF, Browse, Shop
from tests.browser.places import addresses

_PER_SHAPE = 2
_READ = """() => ({
  links: Array.from(document.querySelectorAll("a[href]"), (link) => link.href),
  headings: document.querySelectorAll("h1").length,
  language: document.documentElement.lang,
  title: document.title,
  repeated: Array.from(document.querySelectorAll("[id]"), (element) => element.id)
    .filter((id, index, all) => all.indexOf(id) !== index),
})"""
# What no page links to, because forms, scripts, style sheets, machines or strangers ask for it, or
# because it is of migrations that wait.
_UNLINKED = re.compile(
    r"login\..*|monitoring\..*|probes\..*|(.*\.)?static|.*\.(ajax_lookup|export|export_rows|jump_view|pending_sql|pick|records|vega)"
)


@dataclass
class Crawl:
    """A walk over all links from a first page, a few of each shape."""

    page: Page
    shop: Shop
    seen: set[str] = field(default_factory=set)
    shapes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    def run(self, start: str) -> None:
        """Follow everything."""
        waiting = deque([start])
        while waiting:
            waiting.extend(filter(self._is_new, self._visit(waiting.popleft())))

    def _is_new(self, url: str) -> bool:
        """Whether the link leads somewhere that has not been seen often enough."""
        if url in self.seen or not url.startswith(self.shop.url):
            return False
        self.seen.add(url)
        parts = urlsplit(url)
        shape = (re.sub(r"\d+", "0", parts.path), *sorted(parse_qs(parts.query)))
        self.shapes[shape] += 1
        return self.shapes[shape] <= _PER_SHAPE

    def _visit(self, url: str) -> list[str]:
        self.reached.add(self._endpoint(url))
        try:
            response = self.page.goto(url)
        except Error as error:
            if "Download is starting" not in error.message:
                raise
            self._complain(url, self.page.request.get(url).status)
            return []
        if response is None or "text/html" not in response.headers["content-type"]:
            self._complain(url, response.status if response else 0)
            return []
        read = self.page.evaluate(_READ)
        self._complain(url, response.status, read)
        return [urldefrag(link).url for link in read["links"]]

    def _complain(self, url: str, status: int, read: dict[str, object] | None = None) -> None:
        if status != 200:
            self.faults.append(f"{url}: {status}")
        if read and not (read["headings"] == 1 and read["language"] and read["title"]):
            self.faults.append(f"{url}: {read['headings']} h1, title {read['title']!r}")
        if read and read["repeated"]:
            self.faults.append(f"{url}: ids {read['repeated']} are there twice")

    def _endpoint(self, url: str) -> str:
        try:
            return str(self.shop.app.url_map.bind("x").match(urlsplit(url).path)[0])
        except HTTPException:
            return f"nothing at {url}"


def crawl(browse: Browse, shop: Shop, role: Role) -> Crawl:
    """Return what a role finds by following links from its first page."""
    made = Crawl(browse(role), shop)
    made.run(f"{shop.url}/admin/")
    return made


@pytest.mark.parametrize("role", [role for role in STAFF if role is not Role.ADMIN])
def test_no_link_leads_to_an_error(browse: Browse, shop: Shop, role: Role) -> None:
    found = crawl(browse, shop, role)

    assert found.faults == []
    assert len(found.seen) > 3


def test_an_administrator_reaches_every_page_by_links(browse: Browse, shop: Shop) -> None:
    addresses(shop)  # makes what the demo shop has none of, such as plans
    found = crawl(browse, shop, Role.ADMIN)

    assert found.faults == []
    assert {name for name in linked(shop) if name not in found.reached} == set()


def linked(shop: Shop) -> set[str]:
    """Return the endpoints that an administrator is shown a link to."""
    names = {
        rule.endpoint
        for rule in shop.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not _UNLINKED.fullmatch(rule.endpoint)
    }
    for view in shop.app.extensions["admin"][0]._views:
        if isinstance(view, TableView):
            if not view.write:
                names.discard(f"{view.endpoint}.edit_view")
            if not (view.write and view.creates):
                names.discard(f"{view.endpoint}.create_view")
            if not (view.write and view.deletes):
                names.discard(f"{view.endpoint}.delete_view")
    return names
