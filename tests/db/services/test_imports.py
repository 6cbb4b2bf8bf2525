"""Importing sales history: what is created, what is refused, and that twice is once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import FileFormatError, InputError, PermissionDeniedError
from backoffice.formats.mappings import load_mapping
from backoffice.models import (
    Category,
    ChangeSet,
    Order,
    OrderItem,
    OrderStatus,
    Product,
    Profile,
    User,
)
from backoffice.services.imports import ImportRules, ImportSummary, import_orders
from tests.db.services.sales_files import BAD_LINES, HEADER, line, many_lines, sales_file
from tests.db.services.shopping import capture, pending_order, stocked
from tests.factories import count, make_order, make_product, make_user

MAPPING = load_mapping(Path(__file__).resolve().parents[3] / "seeds/mappings/online_retail.toml")
RULES = ImportRules(MAPPING, ZoneInfo("Europe/London"), "GBP")
Import = Callable[..., ImportSummary]


@pytest.fixture
def run(session: Session, shell: Actor, tmp_path: Path) -> Import:
    """Import lines under the Online Retail header, from a file of their own."""

    def build(*lines: str, header: str = HEADER, rules: ImportRules = RULES, **options: Any) -> Any:
        path = sales_file(tmp_path, *lines, header=header)
        try:
            return import_orders(shell, path, rules, **options)
        finally:
            session.expire_all()

    return build


def rejected(folder: Path) -> list[list[str]]:
    with (folder / "sales.csv.rejected.csv").open(newline="") as file:
        return list(csv.reader(file))


def everything(session: Session) -> dict[str, int]:
    models = (Category, ChangeSet, Order, OrderItem, Product, Profile, User)
    return {model.__tablename__: count(session, model) for model in models}


def test_lines_of_a_number_become_one_completed_order(session: Session, run: Import) -> None:
    summary = run(line(), line(sku="B2", name=" Milk ", quantity="3.0", price="0.335"))

    order = session.scalars(sa.select(Order)).one()
    assert (order.number, order.status, order.currency) == ("1001", OrderStatus.COMPLETED, "GBP")
    assert order.country == "United Kingdom"
    assert order.total_amount == order.subtotal_amount == Decimal("6.01")
    assert order.user is not None
    assert order.version == 1
    assert [
        (item.sku, item.product_name, item.quantity, item.quantity_shipped, item.line_total)
        for item in order.items
    ] == [("A1", "Tea", 2, 2, Decimal("5.00")), ("B2", "Milk", 3, 3, Decimal("1.01"))]
    assert (summary.lines, summary.accepted, summary.orders) == (2, 2, 1)
    assert (summary.customers, summary.products, summary.rejected_lines) == (1, 2, 0)


def test_the_time_of_the_file_is_the_shops(session: Session, run: Import) -> None:
    run(line(at="2011-07-01 00:30:00"))

    order = session.scalars(sa.select(Order)).one()
    moment = datetime(2011, 6, 30, 23, 30, tzinfo=UTC)
    assert order.placed_at == order.paid_at == order.completed_at == moment
    assert order.placed_on == order.paid_on == date(2011, 7, 1)


def test_the_earliest_line_decides_when_and_the_first_line_where(
    session: Session, run: Import
) -> None:
    run(
        line(at="2011-01-01 10:01:00", country="France"),
        line(at="2011-01-01 10:00:00", country="Spain"),
    )

    order = session.scalars(sa.select(Order)).one()
    assert order.placed_at == datetime(2011, 1, 1, 10, 0, tzinfo=UTC)
    assert order.country == "France"


def test_a_customer_has_a_name_a_country_and_no_way_to_sign_in(
    session: Session, run: Import
) -> None:
    run(line(customer="17850.0"), line("1002", customer="17850"), line("1003", customer="AbC"))

    users = session.scalars(sa.select(User).order_by(User.id)).all()
    assert [user.username for user in users] == ["17850", "abc"]
    assert {(user.role, user.email, user.password_hash) for user in users} == {
        (Role.CUSTOMER, None, None)
    }
    assert {user.profile and user.profile.country for user in users} == {"United Kingdom"}


def test_a_line_without_customer_is_a_guests_order(session: Session, run: Import) -> None:
    summary = run(line(customer=""))

    assert session.scalars(sa.select(Order.user_id)).one() is None
    assert (summary.customers, count(session, User)) == (0, 0)


def test_registered_only_rejects_lines_without_customer(
    session: Session, run: Import, tmp_path: Path
) -> None:
    summary = run(line(), line("1002", customer=" "), rules=replace(RULES, registered_only=True))

    assert summary.rejected == {"CustomerID is missing": 1}
    assert session.scalars(sa.select(Order.number)).all() == ["1001"]
    assert rejected(tmp_path)[1][:3] == ["3", "CustomerID is missing", "1002"]


def test_a_product_takes_its_first_name_and_its_latest_price(session: Session, run: Import) -> None:
    run(
        line(sku=" a1 ", name="  ", at="2011-01-03 10:00:00", price="3"),
        line(sku="A1", name="Green tea", at="2011-01-04 10:00:00", price="4"),
        line(sku="a1", name="Black tea", at="2011-01-02 10:00:00", price="2"),
        line(sku="nameless", name=""),
    )

    product = session.scalars(sa.select(Product).where(Product.sku == "A1")).one()
    assert (product.name, product.price, product.stock) == ("Green tea", Decimal("4.0000"), 0)
    names = session.scalars(sa.select(OrderItem.product_name).order_by(OrderItem.id)).all()
    assert names == ["Green tea", "Green tea", "Black tea", "NAMELESS"]


def test_a_product_that_exists_is_left_as_it_is(session: Session, run: Import) -> None:
    product = make_product(session, sku="A1", name="Ours", price=Decimal(9), stock=7)

    summary = run(line(name=""))

    assert (product.name, product.price, product.stock) == ("Ours", Decimal(9), 7)
    assert product.version == 1
    assert summary.products == 0
    assert session.scalars(sa.select(OrderItem.product_name)).one() == "Ours"


def test_equal_lines_and_several_lines_of_a_product_are_kept(session: Session, run: Import) -> None:
    run(line(), line(), line(quantity=5))

    assert session.scalars(sa.select(OrderItem.quantity).order_by(OrderItem.id)).all() == [2, 2, 5]
    assert session.scalars(sa.select(Order.total_amount)).one() == Decimal("22.50")


def test_unknown_categories_are_created_and_kept_on_the_line(session: Session, run: Import) -> None:
    mapping = replace(MAPPING, columns=MAPPING.columns | {"category": "Group"})
    lines = [f"{line()},Drinks", f"{line(sku='B2')},"]

    summary = run(*lines, header=f"{HEADER},Group", rules=replace(RULES, mapping=mapping))

    category = session.scalars(sa.select(Category)).one()
    assert (category.name, summary.categories) == ("Drinks", 1)
    items = session.scalars(sa.select(OrderItem).order_by(OrderItem.id)).all()
    assert [(item.category_id, item.category_path) for item in items] == [
        (category.id, "Drinks"),
        (None, None),
    ]
    products = session.scalars(sa.select(Product).order_by(Product.sku)).all()
    assert [product.category_id for product in products] == [category.id, None]


def test_a_line_keeps_the_path_of_its_products_category(session: Session, run: Import) -> None:
    parent = Category(name="Drinks", version=1)
    child = Category(name="Tea", parent=parent)
    session.add(child)
    make_product(session, sku="A1", category=child)

    run(line())

    item = session.scalars(sa.select(OrderItem)).one()
    assert (item.category_id, item.category_path) == (child.id, "Drinks / Tea")


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES, ids=[reason for _, reason in BAD_LINES])
def test_a_bad_line_is_told_and_the_good_ones_are_kept(
    session: Session, run: Import, tmp_path: Path, bad: str, reason: str
) -> None:
    summary = run(line("1"), bad, line("2"))

    assert (summary.lines, summary.accepted, summary.rejected_lines) == (3, 2, 1)
    assert rejected(tmp_path) == [
        ["line", "reason", *HEADER.split(",")],
        ["3", reason, *bad.split(",")],
    ]
    assert count(session, Order) == 2


def test_the_same_file_twice_changes_nothing(session: Session, run: Import) -> None:
    lines = [*many_lines(40), line(quantity=-1)]
    first = run(*lines)
    before = everything(session)

    second = run(*reversed(lines))

    assert first.accepted > 300
    assert everything(session) == before
    assert (second.accepted, second.orders, second.customers, second.products) == (0, 0, 0, 0)
    assert (second.unchanged, second.orders_unchanged) == (first.accepted, first.orders)
    assert second.rejected == first.rejected


def test_a_file_that_has_grown_adds_what_is_new(session: Session, run: Import) -> None:
    run(*many_lines(10))

    summary = run(*many_lines(12))

    assert (summary.orders, summary.orders_unchanged) == (2, 10)
    assert count(session, Order) == 12
    assert count(session, ChangeSet) == 2


@pytest.mark.parametrize(
    "changed",
    [
        [line(), line(sku="B2"), line(sku="B2")],
        [line()],
        [line(), line(sku="B2", quantity=3)],
        [line(), line(sku="B2", price="2.5001")],
        [line(), line(sku="C3")],
        [line(customer=""), line(sku="B2", customer="")],
        [line(customer="9"), line(sku="B2", customer="9")],
    ],
)
def test_an_order_with_other_content_is_refused_and_never_merged(
    session: Session, run: Import, tmp_path: Path, changed: list[str]
) -> None:
    run(line(), line(sku="B2"))
    before = everything(session)

    summary = run(line("1002"), *changed)

    reason = "the order already exists with other content"
    assert summary.rejected == {reason: len(changed)}
    assert {row[1] for row in rejected(tmp_path)[1:]} == {
        "order 1001 already exists with other content"
    }
    assert [row[2:] for row in rejected(tmp_path)[1:]] == [row.split(",") for row in changed]
    after = everything(session)
    assert after["orders"] == before["orders"] + 1
    assert after["order_items"] == before["order_items"] + 1
    # What only a refused order would need is not created.
    assert after["products"] == before["products"]
    assert after["users"] == before["users"]


def test_an_order_made_in_the_shop_is_not_overwritten(session: Session, run: Import) -> None:
    product = make_product(session, sku="A1")
    make_order(session, (product, 1, Decimal(10)), number="1001")

    summary = run(line(), line("1002"))

    assert summary.rejected == {"the order already exists with other content": 1}


def test_an_order_of_two_customers_is_refused(
    session: Session, run: Import, tmp_path: Path
) -> None:
    summary = run(line(customer="1"), line(customer="2"), line("1002"))

    assert summary.rejected == {"the order names two customers": 2}
    assert rejected(tmp_path)[1][1] == "order 1001 names two customers, 1 and 2"
    assert session.scalars(sa.select(Order.number)).all() == ["1002"]


def test_a_customer_named_on_one_line_is_the_customer_of_the_order(
    session: Session, run: Import
) -> None:
    run(line(customer="7"), line(customer=""))

    order = session.scalars(sa.select(Order)).one()
    assert order.user is not None
    assert (order.user.username, len(order.items)) == ("7", 2)


def test_orders_are_never_given_to_staff(session: Session, run: Import, tmp_path: Path) -> None:
    make_user(session, Role.MANAGER, username="boss")

    summary = run(line(customer="Boss"), line("1002"))

    assert summary.rejected == {"the customer is the user name of a member of staff": 1}
    assert rejected(tmp_path)[1][1] == "customer boss is the user name of a member of staff"


def test_a_customer_who_exists_keeps_the_account(session: Session, run: Import) -> None:
    user = make_user(session, username="17850")

    summary = run(line())

    assert summary.customers == 0
    assert session.scalars(sa.select(Order.user_id)).one() == user.id
    assert count(session, Profile) == 0


def test_a_dry_run_tells_all_and_changes_nothing(
    session: Session, run: Import, tmp_path: Path
) -> None:
    before = everything(session)

    summary = run(line(), line(quantity=-1), dry_run=True)

    assert (summary.accepted, summary.orders, summary.rejected_lines) == (1, 1, 1)
    assert len(rejected(tmp_path)) == 2
    assert everything(session) == before
    assert run(line(), line(quantity=-1)).orders == 1


def test_the_import_is_one_entry_of_the_change_log(session: Session, run: Import) -> None:
    summary = run(line(), line(quantity=-1))

    entry = session.scalars(sa.select(ChangeSet)).one()
    assert (entry.action, entry.actor_name) == ("order.import", "tester")
    assert entry.details is not None
    assert entry.details["file"] == "sales.csv"
    assert entry.details["sha256"] == summary.sha256
    assert entry.details["rejected"] == {"Quantity is not > 0": 1}
    assert (entry.details["orders"], entry.details["accepted"]) == (1, 1)


def test_the_rejected_file_of_an_earlier_run_does_not_stay(run: Import, tmp_path: Path) -> None:
    run(line(quantity=-1), line())
    run(line())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["sales.csv"]


def test_no_place_for_rejected_lines_means_no_import(
    session: Session, run: Import, tmp_path: Path
) -> None:
    (tmp_path / "sales.csv.rejected.csv").mkdir()

    with pytest.raises(InputError, match=r"sales\.csv\.rejected\.csv cannot be written"):
        run(line(), line(quantity=-1))
    assert count(session, Order) == 0


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "sales.csv has a header and no lines below it"),
        ([line(), '1002,"open'], "a quote is opened and never closed"),
    ],
)
def test_a_file_that_breaks_off_leaves_nothing_behind(
    session: Session, run: Import, tmp_path: Path, lines: list[str], sentence: str
) -> None:
    with pytest.raises(FileFormatError, match=sentence):
        run(*lines)

    assert set(everything(session).values()) == {0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sales.csv"]


def test_an_order_whose_payment_is_booked_for_another_is_rejected(
    session: Session, shell: Actor, run: Import
) -> None:
    order = pending_order(session, shell, (stocked(session), 1))
    capture(shell, order, order.total_amount, provider="external", reference="1001")

    summary = run(line("1001"), line("1002"))

    assert summary.rejected == {"a payment of that number was booked for another order": 1}
    assert set(session.scalars(sa.select(Order.number))) == {order.number, "1002"}


def test_who_may_not_import_is_refused(
    session: Session, actor_of: Callable[[Role], Actor], tmp_path: Path
) -> None:
    with pytest.raises(PermissionDeniedError):
        import_orders(actor_of(Role.SUPPORT), sales_file(tmp_path, line()), RULES)
    assert count(session, Order) == 0
