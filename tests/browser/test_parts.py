"""What belongs to a record is edited in its form, with a script and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from backoffice.access import Role
from backoffice.models import Category, Profile
from tests.browser.conftest import Browse, Shop
from tests.browser.test_accessibility import violations
from tests.factories import make_category, make_profile, make_user


@pytest.fixture
def root(shop: Shop) -> Iterator[Category]:
    with shop.session() as session:
        root = make_category(session, f"Root {session.scalar(sa.func.count(Category.id))}")
        make_category(session, "Mugs", root)
        make_category(session, "Lamps", root)
        yield root


def names(shop: Shop, root: Category) -> list[str]:
    with shop.session() as session:
        found = sa.select(Category.name).where(Category.parent_id == root.id)
        return list(session.scalars(found.order_by(Category.name)))


def test_rows_are_added_renamed_and_deleted(browse: Browse, shop: Shop, root: Category) -> None:
    page = browse(Role.MANAGER)
    page.goto(f"/admin/categories/edit/?id={root.id}")
    page.get_by_role("group", name="Subcategories: Mugs").get_by_label("Name").fill("Cups")
    page.get_by_role("group", name="Subcategories: Lamps").get_by_label("Delete").check()
    new = page.get_by_role("group", name="Subcategories: new")
    new.get_by_label("Name").fill("Plates")
    page.get_by_role("button", name="Add another").click()
    expect(new).to_have_count(2)
    expect(new.nth(1).get_by_label("Name")).to_be_focused()
    page.keyboard.type("Bowls")
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).last.click()

    expect(page.get_by_text("successfully saved")).to_be_visible()
    assert names(shop, root) == ["Bowls", "Cups", "Plates"]


def test_without_a_script_a_button_gives_room_for_one_more(
    browse: Browse, shop: Shop, root: Category
) -> None:
    page = browse(Role.MANAGER, java_script_enabled=False)
    page.goto(f"/admin/categories/edit/?id={root.id}")
    new = page.get_by_role("group", name="Subcategories: new")
    new.get_by_label("Name").fill("Plates")
    page.get_by_role("button", name="Add another").click()
    expect(new.first.get_by_label("Name")).to_have_value("Plates")
    new.nth(1).get_by_label("Name").fill("Bowls")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status")).to_contain_text("successfully saved")
    assert names(shop, root) == ["Bowls", "Lamps", "Mugs", "Plates"]


def test_an_account_and_its_person_are_edited_at_once(browse: Browse, shop: Shop) -> None:
    with shop.session() as session:
        user = make_user(session, username="two-in-one")
        profile_id = make_profile(session, user, full_name="Ada Example").id
        user_id = user.id
    page = browse(Role.ADMIN)
    page.goto(f"/admin/users/edit/?id={user_id}")
    page.get_by_label("Full name").fill("Ada Lovelace")
    page.get_by_label("Avatar address").fill("nowhere")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("alert").get_by_role("link", name="Profile: Avatar address").click()
    expect(page.get_by_label("Avatar address")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("https://example.com/ada.png")
    page.get_by_role("button", name="Save", exact=True).last.click()

    expect(page.get_by_text("successfully saved")).to_be_visible()
    with shop.session() as session:
        profile = session.get_one(Profile, profile_id)
        assert (profile.full_name, profile.avatar_url) == (
            "Ada Lovelace",
            "https://example.com/ada.png",
        )
