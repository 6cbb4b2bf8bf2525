"""`seed_shop`: the same rows again, nothing twice, and never beside real data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.app import create_app
from backoffice.db import db
from backoffice.errors import RuleViolationError
from backoffice.models import Category, ChangeSet, Order, Product, Tag, User
from backoffice.seeding.fake import seed_fake_users
from backoffice.seeding.plan import Plan
from backoffice.seeding.shop import Outcome, seed_shop
from backoffice.services.numbers import ORDER_NUMBERS, next_number
from config import TestingConfig
from tests.cleaning import history_unlocked
from tests.factories import count, make_category, make_order, make_product, make_tag, make_user

Digest = Callable[[Session], str]


def _seed(actor: Actor, plan: Plan, **options: Any) -> Outcome:
    return seed_shop(actor, plan, **({"environment": "testing"} | options))


def test_the_same_seed_gives_the_same_rows_on_either_database(
    session: Session, shell: Actor, plan: Plan, digest: Digest, tmp_path: Path
) -> None:
    other = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'o.sqlite'}"))
    with other.app_context():
        upgrade()
        _seed(shell, plan)
        expected = digest(db.session())
        db.session.remove()
        db.engine.dispose()

    _seed(shell, plan)

    assert digest(session) == expected


@pytest.mark.parametrize("other", [{"seed": 43}, {"as_of": date(2026, 10, 31)}])
def test_another_seed_or_day_gives_other_rows(
    session: Session, shell: Actor, small: Plan, digest: Digest, other: dict[str, Any]
) -> None:
    _seed(shell, small)
    first = digest(session)
    with history_unlocked(session.connection()):
        for table in (
            "stock_movements", "order_events", "payments", "order_items", "orders",
            "product_tags", "products", "profiles", "users",
        ):  # fmt: skip
            session.execute(sa.text(f"DELETE FROM {table}"))
    session.execute(sa.delete(ChangeSet))
    session.commit()

    _seed(shell, dataclasses.replace(small, **other), add_to_existing=True)

    assert digest(session) != first


def test_a_second_run_finds_everything_in_its_place(
    session: Session, shell: Actor, small: Plan, digest: Digest
) -> None:
    created = _seed(shell, small).created
    first = digest(session)

    again = _seed(shell, small)

    assert again.created == {}
    del created["product_tags"]  # they have no ids to know them by
    assert again.unchanged == created
    assert digest(session) == first
    assert count(session, ChangeSet) == 1


def test_a_second_run_adds_only_the_missing_reference_data(
    session: Session, shell: Actor, small: Plan
) -> None:
    _seed(shell, small)
    session.execute(sa.text("DELETE FROM product_tags"))
    session.execute(sa.delete(Tag).where(Tag.name == "vegan"))
    session.commit()

    again = _seed(shell, small)

    assert again.created == {"tags": 1}
    assert count(session, Order) == small.orders
    assert session.scalars(sa.select(Tag.name).where(Tag.name == "vegan")).one()


def test_the_log_says_who_made_how_much_of_what(
    session: Session, shell: Actor, small: Plan
) -> None:
    _seed(shell, small)

    change_set = session.scalars(sa.select(ChangeSet)).one()
    assert (change_set.action, change_set.actor_name) == ("seed.db", "tester")
    assert change_set.details is not None
    assert change_set.details["plan"]["seed"] == 42
    assert change_set.details["counts"]["orders"] == 120


@pytest.mark.parametrize("environment", ["production", "staging", "", "Development"])
def test_it_refuses_every_other_environment(
    session: Session, shell: Actor, small: Plan, environment: str
) -> None:
    with pytest.raises(RuleViolationError, match="for development and testing"):
        _seed(shell, small, environment=environment, add_to_existing=True)

    assert count(session, Product) == count(session, Tag) == count(session, ChangeSet) == 0


@pytest.mark.parametrize("add_to_existing", [False, True])
@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 1}, "--seed 42 --as-of 2026-11-01"),
        ({"as_of": date(2026, 1, 1)}, "--seed 42 --as-of 2026-11-01"),
        ({"orders": 121}, "another orders"),
        ({"currency": "EUR"}, "another currency"),
    ],
)
def test_a_database_takes_one_demo_shop(
    session: Session,
    shell: Actor,
    small: Plan,
    digest: Digest,
    other: dict[str, Any],
    words: str,
    add_to_existing: bool,
) -> None:
    _seed(shell, small)
    first = digest(session)

    with pytest.raises(RuleViolationError, match=words):
        _seed(shell, dataclasses.replace(small, **other), add_to_existing=add_to_existing)

    assert digest(session) == first
    assert count(session, ChangeSet) == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (make_user, "users 1"),
        (make_product, "products 1"),
        (lambda session: make_category(session, "Home"), "categories 1"),
        (lambda session: make_tag(session, "eco"), "tags 1"),
        (
            lambda session: make_order(session, (make_product(session), 1, Decimal(10))),
            "products 1, orders 1",
        ),
    ],
)
def test_it_refuses_beside_rows_that_no_seed_run_made(
    session: Session,
    shell: Actor,
    small: Plan,
    digest: Digest,
    make: Callable[[Session], Any],
    told: str,
) -> None:
    make(session)
    before = digest(session)

    with pytest.raises(RuleViolationError, match=f"{told}\\. .*--add-to-existing"):
        _seed(shell, small)

    assert digest(session) == before
    assert count(session, ChangeSet) == 0


def test_staff_accounts_do_not_stand_in_the_way(
    session: Session, shell: Actor, small: Plan
) -> None:
    make_user(session, Role.ADMIN)

    assert _seed(shell, small).created["orders"] == small.orders


def test_a_later_row_of_somebody_else_does_not_break_a_second_run(
    session: Session, shell: Actor, small: Plan
) -> None:
    _seed(shell, small)
    make_product(session)

    assert _seed(shell, small).created == {}


def test_with_the_flag_it_adds_beside_what_is_there(
    session: Session, shell: Actor, small: Plan
) -> None:
    home = make_category(session, "Home")
    product = make_product(session, sku="KIT-00002", category_id=home.id)
    order = make_order(session, (product, 1, product.price), number="1000007")
    _seed(shell, small, add_to_existing=True)

    assert count(session, Order) == small.orders + 1
    assert session.scalars(sa.select(Category.id).where(Category.name == "Home")).one() == home.id
    assert session.get_one(Order, order.id).total_amount == product.price
    seeded = sa.select(sa.func.min(Order.number)).where(Order.id != order.id)
    assert session.scalar(seeded) == "1000008"


def test_names_that_are_taken_are_not_given_again(
    session: Session, shell: Actor, small: Plan
) -> None:
    _seed(shell, small)
    wanted = session.scalars(sa.select(User.username).order_by(User.id)).first()
    with history_unlocked(session.connection()):
        for table in (
            "stock_movements", "order_events", "payments", "order_items", "orders",
            "product_tags", "products", "profiles", "users",
        ):  # fmt: skip
            session.execute(sa.text(f"DELETE FROM {table}"))
    session.execute(sa.delete(ChangeSet))
    session.commit()
    # The same names would come again for the same ids: this user has a low one.
    make_user(session, username=wanted, id=0, email=None)

    _seed(shell, small, add_to_existing=True)

    names = session.scalars(sa.select(User.username).order_by(User.id)).all()
    assert names[:2] == [wanted, f"{wanted}x"]


def test_both_databases_go_on_with_free_ids(session: Session, shell: Actor, small: Plan) -> None:
    _seed(shell, small)

    assert make_product(session).id > small.products
    assert make_user(session).id > small.customers


def test_order_numbers_go_on_after_the_last_one(
    session: Session, shell: Actor, small: Plan
) -> None:
    _seed(shell, small)

    highest = session.scalar(sa.select(sa.func.max(Order.number)))
    assert int(next_number(session, ORDER_NUMBERS)) > int(highest or 0)


def test_the_shop_comes_beside_fake_users(session: Session, shell: Actor, small: Plan) -> None:
    seed_fake_users(shell, small, 5, environment="testing")

    _seed(shell, small)

    assert count(session, User) == small.customers + 5


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2000, 1, 1), date(2026, 3, 29)])
def test_any_zone_and_day_makes_a_shop(
    session: Session, shell: Actor, small: Plan, zone: str, as_of: date
) -> None:
    _seed(shell, dataclasses.replace(small, zone=zone, as_of=as_of))

    assert count(session, Order) == small.orders
    assert session.scalar(sa.select(sa.func.max(Order.placed_on))) < as_of  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_keep_the_rules_of_the_tables(
    session: Session, shell: Actor, plan: Plan, seed: int
) -> None:
    shop = dataclasses.replace(plan, seed=seed, customers=100, orders=900, months=3)

    assert _seed(shell, shop).created["orders"] == 900
