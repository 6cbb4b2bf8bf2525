"""A day at work: sign in, find a record, edit it, meet somebody else's edit, take the figures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect

from backoffice.access import Role
from backoffice.models import Product
from tests.browser.conftest import Browse, Shop, sign_in
from tests.browser.watch import Watch
from tests.factories import PASSWORD, make_product


def find(page: Page, text: str) -> None:
    """Search the products, as a person does who has just arrived."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Products").click()
    page.get_by_role("searchbox", name="Search products").fill(text)
    page.get_by_role("searchbox", name="Search products").press("Enter")


def open_form(page: Page, sku: str) -> None:
    """Find a product and open its form."""
    find(page, sku)
    page.get_by_role("table").get_by_role("link", name=sku).click()
    page.get_by_role("main").get_by_role("link", name="Edit").first.click()


def test_a_stranger_is_led_to_where_they_wanted_to_go(browse: Browse) -> None:
    page = browse()
    page.goto("/admin/products/?search=mug")
    page.get_by_label("User name").fill(Role.ADMIN.value)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Products")
    expect(page.get_by_role("searchbox", name="Search products")).to_have_value("mug")


def test_a_wrong_password_is_told_and_the_name_kept(browse: Browse, watch: Watch) -> None:
    watch.expect(422)
    page = browse()
    page.goto("/login")
    page.get_by_label("User name").fill("somebody")
    page.get_by_label("Password").fill("a guess")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("do not belong to an active member of staff")
    expect(page.get_by_label("User name")).to_have_value("somebody")
    expect(page.get_by_label("Password")).to_have_value("")


def test_a_record_is_found_and_edited(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        product = make_product(session, sku="FIND-1", name="Blue mug")
        product_id = product.id
    page = browse(Role.MANAGER)
    open_form(page, "FIND-1")
    page.get_by_label("Name").fill("Blue mug, large")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("successfully saved")).to_be_visible()
    with shop.session() as session:
        found = session.get_one(Product, product_id)
        assert found.name == "Blue mug, large"


def test_a_refused_form_keeps_what_was_typed(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        make_product(session, sku="KEEP-1", name="Green mug")
    page = browse(Role.MANAGER)
    open_form(page, "KEEP-1")
    page.get_by_label("Name").fill("Green mug, small")
    page.get_by_label("Price").fill("-1")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("Price")
    expect(page.get_by_label("Name")).to_have_value("Green mug, small")
    expect(page.get_by_label("Price")).to_have_accessible_description("Zero or more.")


def test_the_edit_of_another_person_is_never_lost(browse: Browse, shop: Shop, watch: Watch) -> None:
    watch.expect(409)
    with shop.session() as session:
        product_id = make_product(session, sku="BOTH-1", name="Red mug").id
    mine, theirs = browse(Role.MANAGER), browse(Role.ADMIN)
    for page in (mine, theirs):
        open_form(page, "BOTH-1")
    theirs.get_by_label("Name").fill("Red mug of theirs")
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs.get_by_text("successfully saved")).to_be_visible()

    mine.get_by_label("Name").fill("Red mug of mine")
    mine.get_by_role("button", name="Save", exact=True).click()

    expect(mine.get_by_text("Nothing was saved")).to_be_visible()
    expect(mine.get_by_label("Name")).to_have_value("Red mug of mine")
    with shop.session() as session:
        assert session.get_one(Product, product_id).name == "Red mug of theirs"

    expect(mine.get_by_role("region", name="What differs")).to_contain_text("Red mug of theirs")
    mine.get_by_role("button", name="Save mine over it").click()
    expect(mine.get_by_text("successfully saved")).to_be_visible()


def taken(page: Page, form: str, folder: Path) -> str:
    """Export what the list shows; return the file's text."""
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=form, exact=True).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file.read_text(encoding="utf-8-sig")


def test_a_day_ends_with_a_file_of_what_was_done(
    browse: Browse, shop: Shop, watch: Watch, tmp_path: Path
) -> None:
    watch.expect(409)
    with shop.session() as session:
        product_id = make_product(session, sku="DAY-1", name="Plain mug").id
        make_product(session, sku="DAY-2", name="Another")
    page = browse(Role.MANAGER)
    open_form(page, "DAY-1")
    with shop.session() as session:
        session.get_one(Product, product_id).name = "Mug of theirs"
        session.commit()
    page.get_by_label("Name").fill("Mug of mine, =1+1")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("region", name="What differs")).to_contain_text("Mug of theirs")
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("successfully saved")).to_be_visible()

    find(page, "DAY-1")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("checkbox", name="Unit cost", exact=True).check()
    page.get_by_role("checkbox", name="Stock", exact=True).uncheck()
    page.get_by_text("Export", exact=True).click()
    header, row = csv.reader(io.StringIO(taken(page, "CSV", tmp_path)))

    assert (header[:2], row[:2]) == (["sku", "name"], ["DAY-1", "Mug of mine, =1+1"])
    assert "unit_cost" in header
    assert "stock" not in header


def test_a_report_is_narrowed_and_taken_as_a_file(browse: Browse, tmp_path: Path) -> None:
    page = browse(Role.ANALYST)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Reports").click()
    page.get_by_role("link", name="Revenue by month").click()
    page.get_by_label("From", exact=True).fill("2026-06-01")
    page.get_by_role("button", name="Show").click()
    rows = page.get_by_role("table").locator("tbody tr").count()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "report.csv"
    download.value.save_as(file)

    lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert len(lines) == 1 + rows
    assert "2026-06" in lines[1][0]


def test_leaving_ends_the_session(browse: Browse) -> None:
    page = browse()
    sign_in(page, Role.SUPPORT)
    page.get_by_role("button", name="support").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.go_back()
    page.reload()

    assert "/login" in page.url
