"""The HTML that is sent keeps to the standard; browsers forgive much that other readers do not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import playwright

from backoffice.access import Role
from tests.browser.conftest import Browse, Shop
from tests.browser.places import SIGNED_OUT, addresses
from tests.browser.watch import Watch

_HERE = Path(__file__).parent / "html"
_CHECKER = _HERE / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
_NODE = Path(playwright.__file__).parent / "driver" / "node"


def test_the_html_of_every_kind_of_page_is_valid(
    browse: Browse, shop: Shop, watch: Watch, tmp_path: Path
) -> None:
    assert _CHECKER.exists(), "The checker is missing. make test-browser installs it."
    watch.expect(400, 404)
    stranger, admin = browse(), browse(Role.ADMIN)
    for kind, address in addresses(shop).items():
        page = stranger if kind in SIGNED_OUT else admin
        file = tmp_path / f"{kind.replace(' ', '-')}.html"
        file.write_text(page.request.get(address).text(), encoding="utf-8")

    assert check(tmp_path) == ""


def test_a_mistake_in_the_html_is_seen(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<ul><p>Not an item</p></ul>", encoding="utf-8")

    assert "element-permitted-content" in check(tmp_path)


def check(folder: Path) -> str:
    """Return what the checker says of the files in the folder: nothing, when all is well."""
    config = str(_HERE / "htmlvalidate.json")
    command = [str(_NODE), str(_CHECKER), "--config", config, "--formatter", "text", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr
