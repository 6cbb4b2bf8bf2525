"""What can be done to many records: each action, what it refuses, and how it is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import (
    BulkPlan,
    BulkPlanRow,
    Category,
    Change,
    ChangeSet,
    LoginSession,
    PriceChange,
    Product,
    Tag,
    User,
)
from tests.db.admin.test_bulk import carry_out, outcomes
from tests.factories import (
    count,
    make_category,
    make_login,
    make_order,
    make_product,
    make_tag,
    make_user,
)
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


def plan(client: FlaskClient, action: str, *rows: Any, **options: Any) -> str:
    """Answer what the action asks; return the address of the plan."""
    sent: dict[str, Any] = {"action": action, "rowid": [row.id for row in rows], "asked": "1"}
    response = post(client, f"/admin/{rows[0].__tablename__}/bulk/", **(sent | options))
    assert response.status_code == 303, words(response)
    return str(response.location)


def notes(session: Session) -> list[str | None]:
    return list(session.scalars(sa.select(BulkPlanRow.note).order_by(BulkPlanRow.id)))


def told(session: Session) -> list[tuple[str, str | None, str | None]]:
    """Return what the newest change set tells."""
    made = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert made is not None
    return [(change.field, change.old_value, change.new_value) for change in made.changes]


# Prices

OLD = ["0.00", "0.30", "3.00", "10.00", "10.05", "19.99", "7.4999"]
RULES = [
    ("percent", "10", False, ["0.00", "0.33", "3.30", "11.00", "11.06", "21.99", "8.25"]),
    ("percent", "-15.5", False, ["0.00", "0.25", "2.54", "8.45", "8.49", "16.89", "6.34"]),
    ("amount", "0.5", False, ["0.50", "0.80", "3.50", "10.50", "10.55", "20.49", "8.00"]),
    ("set", "5", False, ["5.00"] * 7),
    ("percent", "0", True, ["0.99", "0.99", "2.99", "9.99", "9.99", "19.99", "7.99"]),
    ("amount", "0.44", True, ["0.99", "0.99", "2.99", "9.99", "10.99", "19.99", "7.99"]),
]


@pytest.mark.parametrize(("rule", "amount", "ends_99", "expected"), RULES)
def test_prices_change_by_one_rule_to_the_cent(
    session: Session, client: FlaskClient, rule: str, amount: str, ends_99: bool, expected: Any
) -> None:
    rows = [make_product(session, price=Decimal(price)) for price in OLD]
    extra = {"ends_99": "y"} if ends_99 else {}

    address = plan(client, "change_price", *rows, rule=rule, amount=amount, **extra)
    carry_out(client, address, reason="spring sale")

    session.expire_all()
    assert [row.price for row in rows] == [Decimal(price) for price in expected]
    changed = [(Decimal(a), Decimal(b)) for a, b in zip(OLD, expected, strict=True) if a != b]
    changed = [(old, new) for old, new in changed if old != new]
    noted = session.scalars(sa.select(PriceChange).order_by(PriceChange.product_id)).all()
    assert [(one.old_price, one.new_price) for one in noted] == changed
    made = session.scalars(sa.select(ChangeSet)).one()
    assert {(one.batch_id, one.reason) for one in noted} == {(UUID(int=made.id), "spring sale")}


def test_a_price_change_shows_old_and_new_and_the_largest_changes(
    session: Session, client: FlaskClient
) -> None:
    cheap = make_product(session, sku="CHEAP", price=Decimal(1), unit_cost=Decimal("1.50"))
    dear = make_product(session, sku="DEAR", price=Decimal(100), unit_cost=Decimal(20))

    page = words(client.get(plan(client, "change_price", cheap, dear, rule="set", amount="10")))

    assert "Change price to 10: 2 products" in page
    assert "1.00 → 10.00 (+900.0 %)" in page
    assert "100.00 → 10.00 (-90.0 %)" in page
    assert "1 × Below what one costs." in page
    assert page.index("Largest rise: CHEAP") < page.index("Largest cut: DEAR")


def test_a_price_below_zero_is_blocked_and_the_others_change(
    session: Session, client: FlaskClient
) -> None:
    low, high = make_product(session, price=Decimal(3)), make_product(session, price=Decimal(9))

    address = plan(client, "change_price", low, high, rule="amount", amount="-5", ends_99="y")
    page = carry_out(client, address, reason="cheaper")

    assert "1 × The new price would be below zero." in page
    session.expire_all()
    assert (low.price, high.price) == (Decimal(3), Decimal("3.99"))


@pytest.mark.parametrize(
    ("rule", "amount", "said"),
    [
        ("percent", "501", "From -100 to 500 per cent."),
        ("percent", "-100.01", "From -100 to 500 per cent."),
        ("percent", "0.001", "At most two decimal places."),
        ("set", "-1", "A price is zero or more."),
        ("amount", "NaN", "Enter a number."),
        ("amount", "", "Enter a number."),
        ("amount", "99999999999", "This number is too large."),
        ("set", "1e30", "This number is too large."),
        ("double", "1", "Not a valid choice"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(
    session: Session, client: FlaskClient, rule: str, amount: str, said: str
) -> None:
    sent: dict[str, Any] = {"action": "change_price", "rowid": make_product(session).id}

    response = post(client, "/admin/products/bulk/", **sent, asked="1", rule=rule, amount=amount)

    assert said in words(response)
    assert (response.status_code, count(session, BulkPlan)) == (200, 0)


def test_the_highest_price_survives_the_highest_rule(session: Session, client: FlaskClient) -> None:
    product = make_product(session, price=Decimal("9999999999.9999"))

    page = words(client.get(plan(client, "change_price", product, rule="percent", amount="500")))

    assert "1 × The new price would be too large." in page


def test_a_price_change_needs_a_reason(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    address = plan(client, "change_price", product, rule="set", amount="5")

    assert "Say why, for the change log. Nothing was changed." in carry_out(client, address)
    session.refresh(product)
    assert (product.price, count(session, ChangeSet), count(session, PriceChange)) == (
        Decimal(10), 0, 0
    )  # fmt: skip


def test_undoing_a_price_change_is_a_new_price_change(
    session: Session, client: FlaskClient
) -> None:
    product, raised = make_product(session), make_product(session)
    address = plan(client, "change_price", product, raised, rule="set", amount="5")
    carry_out(client, address, reason="typo")
    session.expire_all()
    raised.price = Decimal(6)
    session.commit()

    carry_out(client, address, "undo")

    session.expire_all()
    assert (product.price, raised.price) == (Decimal(10), Decimal(6))
    noted = session.scalars(sa.select(PriceChange).order_by(PriceChange.id)).all()
    assert [(one.old_price, one.new_price) for one in noted] == [
        (Decimal(10), Decimal(5)), (Decimal(10), Decimal(5)), (Decimal(5), Decimal(10))
    ]  # fmt: skip
    assert list(outcomes(session).values()) == ["reverted", "kept"]


# Relations


def test_an_action_that_must_know_more_asks_first(session: Session, client: FlaskClient) -> None:
    make_category(session, "Mugs")
    rows = [make_product(session), make_product(session)]
    sent: dict[str, Any] = {"action": "set_category", "rowid": [row.id for row in rows]}

    response = post(client, "/admin/products/bulk/", **sent)

    assert response.status_code == 200
    assert "Nothing is changed yet: next comes a preview." in words(response)
    kept = re.findall(r'type="hidden" name="rowid" value="(\d+)"', response.text)
    assert [int(key) for key in kept] == [row.id for row in rows]
    assert "Mugs" in response.text
    unanswered = post(client, "/admin/products/bulk/", **sent, asked="1")
    assert "Choose one." in words(unanswered)
    unknown = post(client, "/admin/products/bulk/", **sent, asked="1", chosen="999999")
    assert "Choose one that is there." in words(unknown)
    assert count(session, BulkPlan) == 0


def test_products_move_to_a_category_and_back(session: Session, client: FlaskClient) -> None:
    mugs, cups = make_category(session, "Mugs"), make_category(session, "Cups")
    moved, there = make_product(session, category=mugs), make_product(session, category=cups)
    loose = make_product(session)

    address = plan(client, "set_category", moved, there, loose, chosen=cups.id)
    assert "Move to category Cups: 3 products" in words(client.get(address))
    carry_out(client, address)

    session.expire_all()
    assert [p.category_id for p in (moved, there, loose)] == [cups.id] * 3
    assert [p.version for p in (moved, there, loose)] == [2, 1, 2]
    assert told(session) == [("category", "Mugs", "Cups"), ("category", None, "Cups")]
    carry_out(client, address, "undo")
    session.expire_all()
    assert [p.category_id for p in (moved, there, loose)] == [mugs.id, cups.id, None]


def test_a_category_that_is_no_more_stops_the_plan_and_the_way_back(
    session: Session, client: FlaskClient
) -> None:
    mugs, cups = make_category(session, "Mugs"), make_category(session, "Cups")
    product = make_product(session, category=mugs)
    first = plan(client, "set_category", product, chosen=cups.id)
    session.delete(cups)
    session.commit()
    assert "Cups is no more. Nothing was changed." in carry_out(client, first)
    session.refresh(product)
    assert (product.category_id, count(session, ChangeSet)) == (mugs.id, 0)

    cups = make_category(session, "Cups")
    second = plan(client, "set_category", product, chosen=cups.id)
    carry_out(client, second)
    session.expire_all()
    session.delete(session.get_one(Category, mugs.id))
    session.commit()

    assert "Mugs, which it was, is no more." in carry_out(client, second, "undo")
    session.refresh(product)
    assert product.category_id == cups.id


def test_a_tag_is_added_to_all_and_taken_off_those_that_got_it(
    session: Session, client: FlaskClient
) -> None:
    new, sale = make_tag(session, "new"), make_tag(session, "sale")
    bare, tagged = make_product(session, sku="BARE"), make_product(session, sku="TAGGED")
    has = make_product(session, sku="HAS")
    tagged.tags, has.tags = [new], [sale]
    session.commit()

    address = plan(client, "add_tag", bare, tagged, has, chosen=sale.id)
    carry_out(client, address)

    session.expire_all()
    assert [[tag.name for tag in p.tags] for p in (bare, tagged, has)] == [
        ["sale"], ["new", "sale"], ["sale"]
    ]  # fmt: skip
    assert outcomes(session) == {"BARE": "done", "TAGGED": "done", "HAS": "unchanged"}
    assert told(session) == [("tags", None, "sale"), ("tags", "new", "new, sale")]
    carry_out(client, address, "undo")
    session.expire_all()
    assert [[tag.name for tag in p.tags] for p in (bare, tagged, has)] == [[], ["new"], ["sale"]]


def test_a_tag_is_taken_off_all_and_comes_back_where_it_was(
    session: Session, client: FlaskClient
) -> None:
    new, sale = make_tag(session, "new"), make_tag(session, "sale")
    both, none = make_product(session), make_product(session)
    both.tags = [new, sale]
    session.commit()

    address = plan(client, "remove_tag", both, none, chosen=sale.id)
    carry_out(client, address)

    session.expire_all()
    assert ([tag.name for tag in both.tags], none.tags) == (["new"], [])
    carry_out(client, address, "undo")
    session.expire_all()
    assert ([tag.name for tag in both.tags], none.tags) == (["new", "sale"], [])


# Deleting


def test_what_is_needed_stays_and_the_rest_is_deleted_with_all_it_was_in_the_log(
    session: Session, client: FlaskClient
) -> None:
    sold, free = make_product(session, sku="SOLD"), make_product(session, sku="FREE")
    free.tags = [make_tag(session, "a"), make_tag(session, "b")]
    make_order(session, (sold, 1, Decimal(5)))

    address = plan(client, "delete", sold, free)
    page = words(client.get(address))
    assert "1 × Order items still need it." in page
    assert "Type 1 to confirm" in page
    page = carry_out(client, address, reason="never sold", confirm="1")

    assert "It cannot be undone" in page
    assert session.scalars(sa.select(Product.sku)).all() == ["SOLD"]
    assert count(session, Tag) == 2
    log = {field: (old, new) for field, old, new in told(session)}
    assert log["sku"] == ("FREE", None)
    assert log["price"] == ("10.0000", None)
    assert log["tags"] == ("a, b", None)
    assert "There is nothing to undo." in carry_out(client, address, "undo")


def test_what_came_to_be_needed_after_the_preview_stays(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session)
    address = plan(client, "delete", product)
    make_order(session, (product, 1, Decimal(5)))

    page = carry_out(client, address, reason="never sold", confirm="1")

    assert "1 × Order items still need it." in page
    assert (count(session, Product), count(session, Change)) == (1, 0)


def test_a_category_with_products_or_children_is_not_deleted(
    session: Session, client: FlaskClient
) -> None:
    full, parent, free = (make_category(session, name) for name in ("Full", "Parent", "Free"))
    make_category(session, "Child", parent)
    make_product(session, category=full)

    carry_out(client, plan(client, "delete", full, parent, free), reason="tidy", confirm="1")

    assert outcomes(session) == {"Full": "blocked", "Parent": "blocked", "Free": "done"}
    assert set(notes(session)) == {
        "Products still need it.", "Categories still need it.", None
    }  # fmt: skip


# Accounts


def test_accounts_are_deactivated_with_their_sessions_but_not_ones_own_nor_administrators(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    admin = sign_in(Role.ADMIN)
    other = make_user(session, Role.ADMIN, username="other")
    left = make_user(session, Role.SUPPORT, username="left")
    make_login(session, left)

    address = plan(client, "deactivate", admin, other, left)
    carry_out(client, address, reason="have left")

    session.expire_all()
    assert [user.is_active for user in (admin, other, left)] == [True, True, False]
    assert left.session_version == 2
    ended = sa.select(LoginSession.ended_at).where(LoginSession.user_id == left.id)
    assert session.scalars(ended).one() is not None
    assert notes(session) == [
        "This is your own account.", "Deactivate administrators one by one.", None
    ]  # fmt: skip
    carry_out(client, address, "undo")
    session.refresh(left)
    assert (left.is_active, left.session_version) == (True, 2)


def test_a_plan_for_accounts_is_not_for_those_who_may_not_see_accounts(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)
    user = make_user(session, Role.SUPPORT)
    address = plan(client, "deactivate", user)
    sign_in(Role.MANAGER)

    assert client.get(address).status_code == 404
    assert user.username not in client.get("/admin/bulk_plan_rows/").text
    (key,) = re.findall(r"id=(\d+)", address)
    assert post(client, "/admin/bulk_plans/apply/", id=key, reason="x").status_code == 404
    session.refresh(user)
    assert user.is_active
