"""Lists, forms and reports work in a browser that runs no script."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import expect

from backoffice.access import Role
from backoffice.models import Tag
from tests.browser.conftest import Browse, Shop
from tests.browser.test_workday import open_form, taken
from tests.factories import make_product


def test_a_list_is_searched_sorted_and_paged(browse: Browse) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/orders/")
    first = page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr").first).not_to_have_text(first)
    page.get_by_role("link", name="Previous").click()
    assert page.locator("tbody tr").first.inner_text() == first

    page.get_by_role("columnheader", name="Total").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Total")).to_have_attribute(
        "aria-sort", "ascending"
    )
    number = page.locator("tbody tr").first.get_by_role("link").first.inner_text()
    page.get_by_role("searchbox", name="Search orders").fill(number)
    page.get_by_role("searchbox", name="Search orders").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_record_is_created_edited_and_deleted(browse: Browse, shop: Shop) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/tags/")
    page.get_by_role("link", name="New tag").click()
    page.get_by_label("Name").fill("scriptless")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("successfully created")

    page.goto("/admin/tags/?search=scriptless")
    page.get_by_role("table").get_by_role("link", name="scriptless").click()
    page.get_by_role("main").get_by_role("link", name="Edit").first.click()
    page.get_by_label("Name").fill("scriptless too")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("successfully saved")

    page.goto("/admin/tags/?search=scriptless")
    page.get_by_role("table").get_by_role("link", name="scriptless too").click()
    page.get_by_text("Delete this tag").click()
    page.get_by_role("button", name="Delete").click()
    with shop.session() as session:
        assert session.scalar(sa.select(Tag).where(Tag.name.startswith("scriptless"))) is None


def test_relations_can_be_chosen(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        make_product(session, sku="PICK-1")
    page = browse(Role.MANAGER, java_script_enabled=False)
    open_form(page, "PICK-1")
    category = page.get_by_label("Category")
    chosen = category.locator("option").nth(2).inner_text()
    category.select_option(label=chosen)
    page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_label("Category").locator("option:checked")).to_have_text(chosen)


def test_a_list_is_taken_as_a_file(browse: Browse, shop: Shop, tmp_path: Path) -> None:
    with shop.session() as session:
        make_product(session, sku="FILE-1", name="Fine mug")
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto("/admin/products/?search=FILE-1")
    lines = [json.loads(line) for line in taken(page, "JSON Lines", tmp_path).splitlines()]

    assert [(line["sku"], line["name"]) for line in lines] == [("FILE-1", "Fine mug")]


def test_a_report_says_with_a_table_what_its_chart_would(browse: Browse) -> None:
    page = browse(Role.ANALYST, java_script_enabled=False)
    page.goto("/admin/reports/revenue_by_month")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("#report-chart")).to_be_hidden()
    assert page.get_by_role("table").locator("tbody tr").count() > 1
