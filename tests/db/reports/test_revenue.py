"""What the revenue reports say, to the cent, and that they all say the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Category, Order, OrderItem, OrderStatus, Product, User
from backoffice.reports.catalog import catalog
from tests.db.reports.conftest import Run
from tests.factories import make_category, make_order, make_product, make_profile, make_user

D = Decimal
ONE = D("1.00")


REVENUE = [slug for slug, report in catalog().items() if report.group == "Revenue"]


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00").astimezone(UTC)


def sale(session: Session, day: str, amount: str, **values: object) -> Order:
    product = values.pop("product", None) or make_product(session)
    assert isinstance(product, Product)
    return make_order(session, (product, 1, D(amount)), placed_at=at(day), **values)  # type: ignore[arg-type]


def test_each_month_has_its_orders_customers_and_running_total(
    committed: Session, run: Run
) -> None:
    ann, ben = make_user(committed), make_user(committed)
    sale(committed, "2026-01-31", "10.10", user=ann)
    sale(committed, "2026-02-01", "20.20", user=ann)
    sale(committed, "2026-02-28", "0.05", user=ann)
    sale(committed, "2026-02-14", "30.30", user=ben)
    sale(committed, "2026-04-30", "0.10", email="guest@example.com")

    result = run("revenue_by_month", from_="2026-01-01", to="2026-06-01")

    assert result.rows == (
        ("2026-01", 1, 1, D("10.10"), D("10.10")),
        ("2026-02", 3, 2, D("50.55"), D("60.65")),
        ("2026-03", 0, 0, D("0.00"), D("60.65")),
        ("2026-04", 1, 1, D("0.10"), D("60.75")),
        ("2026-05", 0, 0, D("0.00"), D("60.75")),
    )
    assert result.totals() == {"orders": 5, "revenue": D("60.75")}
    assert not result.is_cut


@pytest.mark.parametrize(
    ("start", "stop", "months"),
    [
        ("2026-01-31", "2026-02-01", ["2026-01"]),
        ("2026-01-31", "2026-02-02", ["2026-01", "2026-02"]),
        ("2025-11-15", "2026-02-01", ["2025-11", "2025-12", "2026-01"]),
        ("2025-12-31", "2026-01-01", ["2025-12"]),
        ("2024-02-29", "2024-03-01", ["2024-02"]),
    ],
)
def test_the_months_are_those_that_the_period_touches(
    committed: Session, run: Run, start: str, stop: str, months: list[str]
) -> None:
    result = run("revenue_by_month", from_=start, to=stop)

    assert [row[0] for row in result.rows] == months


def test_the_first_day_is_in_and_the_last_is_not(committed: Session, run: Run) -> None:
    for day, amount in (("2026-01-31", "1"), ("2026-02-01", "2"), ("2026-02-28", "4")):
        sale(committed, day, amount)
    sale(committed, "2026-03-01", "8")

    for slug in REVENUE:
        result = run(slug, from_="2026-02-01", to="2026-03-01")
        assert result.totals()["revenue"] == D("6.00"), slug
        shorter = run(slug, from_="2026-02-01", to="2026-02-28")
        assert shorter.totals()["revenue"] == D("2.00"), slug


def test_the_day_of_payment_counts_and_the_status_does_not(committed: Session, run: Run) -> None:
    reason = {"cancelled_at": at("2026-05-01"), "cancel_reason": "lost"}
    paid = {"paid_at": at("2026-02-01"), "paid_on": at("2026-02-01").date()}
    sale(committed, "2026-01-15", "1", status=OrderStatus.PENDING)
    sale(committed, "2026-01-15", "2", status=OrderStatus.CANCELLED, **reason)
    sale(committed, "2026-01-15", "4", status=OrderStatus.CANCELLED, **reason, **paid)
    sale(committed, "2026-01-31", "8", status=OrderStatus.PROCESSING, **paid)

    rows = run("revenue_by_month", from_="2026-01-01", to="2026-03-01").rows

    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("2026-01", 0, D("0.00")),
        ("2026-02", 2, D("12.00")),
    ]


def test_a_customer_is_an_account_or_an_address_and_a_nobody_counts_as_none(
    committed: Session, run: Run
) -> None:
    ann = make_user(committed)
    sale(committed, "2026-01-01", "1", user=ann)
    sale(committed, "2026-01-02", "1", user=ann, email="other@example.com")
    for _ in range(2):
        sale(committed, "2026-01-03", "1", email="guest@example.com")
    sale(committed, "2026-01-04", "1")

    month = run("revenue_by_month", from_="2026-01-01", to="2026-02-01").rows[0]
    registered = run(
        "revenue_by_month", from_="2026-01-01", to="2026-02-01", customers="registered"
    ).rows[0]

    assert month == ("2026-01", 5, 2, D("5.00"), D("5.00"))
    assert registered == ("2026-01", 2, 1, D("2.00"), D("2.00"))


def test_currencies_are_never_added_up(committed: Session, run: Run) -> None:
    sale(committed, "2026-01-01", "1")
    sale(committed, "2026-01-01", "2", currency="EUR")

    for slug in REVENUE:
        assert run(slug).totals()["revenue"] == D("1.00"), slug
        assert run(slug, currency="EUR").totals()["revenue"] == D("2.00"), slug


def test_shipping_and_tax_are_no_revenue_and_discounts_of_lines_lower_it(
    committed: Session, run: Run
) -> None:
    order = sale(committed, "2026-01-01", "10")
    order.items[0].discount_amount = D("1.50")
    order.items[0].line_total = D("8.50")
    order.subtotal_amount = D("8.50")
    order.shipping_amount, order.tax_amount, order.total_amount = D(5), D(2), D("15.50")
    committed.commit()

    for slug in REVENUE:
        assert run(slug).totals()["revenue"] == D("8.50"), slug


def category_rows(run: Run, **given: str) -> list[tuple[object, ...]]:
    return [(row[0], row[1], row[3]) for row in run("revenue_by_category", **given).rows]


def test_categories_roll_up_the_tree_and_each_line_counts_once(
    committed: Session, run: Run
) -> None:
    home = make_category(committed, "Home")
    kitchen = make_category(committed, "Kitchen", home)
    pots = make_category(committed, "Pots", kitchen)
    garden = make_category(committed, "Garden")
    for category, amount in ((home, "1"), (kitchen, "2"), (pots, "4"), (garden, "3"), (None, "16")):
        sale(committed, "2026-01-01", amount, product=make_product(committed, category=category))

    assert category_rows(run) == [
        ("(none)", 1, D("16.00")),
        ("Home", 3, D("7.00")),
        ("Garden", 1, D("3.00")),
    ]
    assert category_rows(run, depth="2") == [
        ("(none)", 1, D("16.00")),
        ("Home / Kitchen", 2, D("6.00")),
        ("Garden", 1, D("3.00")),
        ("Home", 1, D("1.00")),
    ]
    assert ("Home / Kitchen / Pots", 1, D("4.00")) in category_rows(run, depth="3")


def test_a_line_stays_where_it_was_sold_also_when_the_category_is_gone(
    committed: Session, run: Run
) -> None:
    old, new = make_category(committed, "Old"), make_category(committed, "New")
    moved = make_product(committed, category=old)
    order = sale(committed, "2026-01-01", "5", product=moved)
    moved.category = new
    committed.commit()
    assert category_rows(run) == [("Old", 1, D("5.00"))]

    order.items[0].category_path = "Old"
    committed.delete(old)
    committed.commit()
    assert category_rows(run) == [("(deleted) Old", 1, D("5.00"))]


def test_products_have_todays_name_and_yesterdays_money(committed: Session, run: Run) -> None:
    tea = make_product(committed, sku="TEA", name="Tea")
    make_order(committed, (tea, 2, D("1.25")), (tea, 1, D("1.00")), placed_at=at("2026-01-01"))
    tea.name, tea.price = "Green tea", D("99")
    committed.commit()

    assert run("revenue_by_product").rows == (("TEA", "Green tea", 3, 1, D("3.50")),)


def test_countries_are_those_of_the_orders(committed: Session, run: Run) -> None:
    ann = make_user(committed)
    for country, amount in (("France", "1"), ("France", "2"), (None, "5"), (" ", "1")):
        sale(committed, "2026-01-01", amount, country=country, user=ann)

    assert run("revenue_by_country").rows == (
        ("(unknown)", 2, 1, D("6.00")),
        ("France", 2, 1, D("3.00")),
    )


def test_top_customers_are_ranked_and_the_rest_is_there_too(committed: Session, run: Run) -> None:
    ann, ben = make_user(committed, username="ann"), make_user(committed, username="ben")
    make_profile(committed, ann, full_name="Ann Lee")
    sale(committed, "2026-01-01", "10.10", user=ann)
    sale(committed, "2026-01-02", "20.20", user=ann)
    sale(committed, "2026-01-03", "30.30", user=ben, customer_name="Ben")
    sale(committed, "2026-01-04", "7", email="guest@example.com", customer_name="G. West")
    sale(committed, "2026-01-05", "6", email="other@example.com")
    sale(committed, "2026-01-06", "900")

    result = run("top_customers", limit="2")

    assert result.rows == (
        (1, "ann", "Ann Lee", 2, D("30.30")),
        (2, "ben", "Ben", 1, D("30.30")),
        (None, "(2 others)", None, 2, D("13.00")),
        (None, "(guests without e-mail)", None, 1, D("900.00")),
    )
    assert result.totals() == {"orders": 6, "revenue": D("973.60")}
    assert len(run("top_customers", customers="registered").rows) == 2


def test_every_report_runs_on_an_empty_shop(committed: Session, run: Run) -> None:
    for slug, report in catalog().items():
        result = run(slug)
        assert set(result.totals().values()) <= {0}, slug
        assert slug.endswith("_by_month") or result.rows == ()
        assert result.report is report


@pytest.mark.parametrize("customers", ["all", "registered"])
def test_all_reports_add_up_to_the_same_total(committed: Session, run: Run, customers: str) -> None:
    fill_at_random(committed, random.Random(7))  # noqa: S311
    period = {"from_": "2025-03-10", "to": "2026-03-10", "customers": customers}
    expected = expected_total(committed, customers)

    totals = {slug: run(slug, **period).totals()["revenue"] for slug in REVENUE}
    months = run("revenue_by_month", **period).rows

    assert totals == dict.fromkeys(REVENUE, expected)
    assert months[-1][4] == expected
    assert [row[1] for row in months].count(0) >= 1
    assert len(months) == 13


def expected_total(session: Session, customers: str) -> Decimal:
    """Add up in Python what SQL adds up in five ways."""
    lines = session.execute(
        sa.select(OrderItem.line_total, Order.paid_on, Order.user_id, Order.currency).join(Order)
    )
    total = sum(
        (
            line.line_total
            for line in lines
            if line.paid_on
            and at("2025-03-10").date() <= line.paid_on < at("2026-03-10").date()
            and line.currency == "GBP"
            and (customers == "all" or line.user_id)
        ),
        D(0),
    )
    assert total > 1000
    return total


def fill_at_random(session: Session, dice: random.Random) -> None:
    """150 orders over 14 months, none in August, of all kinds that there are."""
    categories: list[Category | None] = [None]
    for number in range(8):
        categories.append(make_category(session, f"C{number}", dice.choice(categories)))
    leaf = make_category(session, "Gone", categories[1])
    products = [make_product(session, category=dice.choice([*categories, leaf])) for _ in range(25)]
    users: list[User | None] = [None, *(make_user(session) for _ in range(12))]
    for _ in range(150):
        random_order(session, dice, products, dice.choice(users))
    session.execute(sa.update(Product).where(Product.category == leaf).values(category_id=None))
    session.delete(leaf)
    session.commit()


def random_order(
    session: Session, dice: random.Random, products: list[Product], user: User | None
) -> None:
    month = dice.choice([number for number in range(14) if number != 6])
    day = datetime(2025 + (month + 1) // 12, (month + 1) % 12 + 1, dice.randint(1, 28), tzinfo=UTC)
    lines = [
        (dice.choice(products), dice.randint(1, 9), D(dice.randint(1, 99999)).scaleb(-2))
        for _ in range(dice.randint(1, 4))
    ]
    order = make_order(
        session,
        *lines,
        placed_at=day,
        user=user,
        email=dice.choice([None, f"g{dice.randint(1, 5)}@example.com"]),
        country=dice.choice([None, "France", "Norway"]),
        status=dice.choice([OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.COMPLETED]),
        currency=dice.choice(["GBP", "GBP", "GBP", "EUR"]),
    )
    item = order.items[0]
    item.discount_amount = D("0.01") * dice.randint(0, 1)
    item.line_total -= item.discount_amount
    order.subtotal_amount -= item.discount_amount
    order.shipping_amount, order.tax_amount = D("4.95"), D("1.11")
    order.total_amount = order.subtotal_amount + D("6.06")
    session.commit()
