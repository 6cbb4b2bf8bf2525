"""A form in a browser: nothing typed is lost by accident, and nothing is sent twice."""

from __future__ import annotations

from playwright.sync_api import Dialog, expect

from backoffice.access import Role
from backoffice.models import Tag
from tests.browser.conftest import Browse, Shop
from tests.factories import count


def test_leaving_unsaved_work_is_asked_about(browse: Browse) -> None:
    page = browse(Role.ADMIN)
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.goto("/admin/tags/new/")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/admin/tags/")
    assert asked == []

    page.goto("/admin/tags/new/")
    page.get_by_label("Name").fill("half a word")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/admin/tags/")

    assert asked == ["beforeunload"]


def test_two_clicks_make_one_record(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        before = count(session, Tag)
    page = browse(Role.ADMIN)
    page.goto("/admin/tags/new/")
    page.get_by_label("Name").fill("clicked twice")
    page.get_by_role("button", name="Save", exact=True).last.dblclick()
    page.wait_for_url("**/admin/tags/")

    expect(page.get_by_role("status").first).to_contain_text("successfully created")
    with shop.session() as session:
        assert count(session, Tag) == before + 1
