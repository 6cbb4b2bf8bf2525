"""The rows of the demo shop, table by table, in the order in which they refer to each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Order, Product
from backoffice.seeding.catalogue import Article, Shelf, make_articles
from backoffice.seeding.course import event_rows, payment_row
from backoffice.seeding.demand import Demand
from backoffice.seeding.ledger import movement_rows
from backoffice.seeding.orders import Buyer, amounts, item_rows, order_row
from backoffice.seeding.people import People, account_rows, taken_addresses
from backoffice.seeding.plan import Plan
from backoffice.seeding.products import product_rows, tag_articles
from backoffice.seeding.reference import Reference
from backoffice.seeding.shoppers import Shopper, simulate_shoppers
from backoffice.seeding.tables import Loader, Row

FIRST_NUMBER = 1_000_001

_GO_ON = {
    "sqlite": """
INSERT INTO number_series (name, last_number) VALUES ('orders', :last)
ON CONFLICT (name) DO UPDATE SET last_number = excluded.last_number
WHERE excluded.last_number > number_series.last_number
""",
    "postgresql": """
SELECT setval('order_numbers', greatest(last_value, :last)) FROM order_numbers
""",
}

Visit = tuple[datetime, Buyer]


def write_demo_shop(session: Session, loader: Loader, plan: Plan, reference: Reference) -> None:
    """Write products, customers and orders of the plan; sums and states agree with each other."""
    articles = make_articles(plan)
    _name(session, loader, articles, reference)
    people = People(plan.stream("people"), plan.abroad_share, taken_addresses(session))
    customers, guests = simulate_shoppers(Demand(plan))
    visits = _register(loader, people, customers) + list(_meet(people, guests))
    visits.sort(key=lambda visit: visit[0])
    order_rows, line_rows = _sell(plan, loader, articles, visits, _free_number(session))
    tag_articles(plan, articles)
    products = product_rows(plan, articles)
    loader.write("products", products)
    loader.write("product_tags", list(_product_tags(articles, reference)))
    loader.write("orders", order_rows)
    loader.write("order_items", line_rows)
    _tell_the_past(loader, movement_rows(plan, products, order_rows, line_rows), order_rows)
    _continue_after(session, order_rows)


def _name(session: Session, loader: Loader, articles: list[Article], reference: Reference) -> None:
    """Give the articles ids, categories and SKUs that nobody has."""
    taken = set(session.scalars(sa.select(Product.sku)))
    for article in articles:
        article.id = loader.next_id("products")
        article.category_id = reference.categories[article.category]
        leaf = article.category.rpartition("/")[2].strip()
        article.sku = f"{leaf[:3].upper()}-{article.id:05}"
        while article.sku in taken:
            article.sku += "X"


def _register(loader: Loader, people: People, customers: list[Shopper]) -> list[Visit]:
    """Write the customers' accounts and profiles; return their visits."""
    users, profiles, visits = [], [], []
    for shopper in customers:
        user_id = loader.next_id("users")
        person = people.person(user_id)
        since = shopper.since or shopper.visits[0]
        user, profile = account_rows(people, person, user_id, loader.next_id("profiles"), since)
        users.append(user)
        profiles.append(profile)
        guest = Buyer(person, people.address(person), None)
        customer = Buyer(person, guest.address, user_id)
        visits += [
            (moment, guest if shopper.is_guest_at(moment) else customer)
            for moment in shopper.visits
        ]
    loader.write("users", users)
    loader.write("profiles", profiles)
    return visits


def _meet(people: People, guests: list[Shopper]) -> Iterator[Visit]:
    """Give the visits of guests, who leave an e-mail address but have no account."""
    for number, shopper in enumerate(guests, start=1):
        person = people.person(f"-{number}")
        buyer = Buyer(person, people.address(person), None)
        for moment in shopper.visits:
            yield moment, buyer


def _sell(
    plan: Plan, loader: Loader, articles: list[Article], visits: list[Visit], first_number: int
) -> tuple[list[Row], list[Row]]:
    """Return orders and lines in order of time; the articles count what they sell."""
    states, baskets = plan.stream("orders"), plan.stream("baskets")
    order_rows: list[Row] = []
    line_rows: list[Row] = []
    shelves = itertools.groupby(visits, key=lambda visit: (visit[0] - plan.now).days // 7)
    numbers = itertools.count(first_number)
    for week, visits_of_week in shelves:
        start = plan.now + timedelta(weeks=week)
        shelf = Shelf(articles, start, start + timedelta(weeks=1))
        for moment, buyer in visits_of_week:
            order = {"id": loader.next_id("orders"), "number": str(next(numbers))}
            order |= order_row(plan, states, moment, buyer)
            basket = shelf.choose(baskets, _basket_size(baskets.random()))
            lines = item_rows(plan, baskets, order, basket)
            order_rows.append(order | amounts(buyer.person.country, lines))
            line_rows += [{"id": loader.next_id("order_items")} | line for line in lines]
    return order_rows, line_rows


def _tell_the_past(loader: Loader, movements: list[Row], orders: list[Row]) -> None:
    """Write the ledger, payments and events, with ids in order of time."""
    events = [event for order in orders for event in event_rows(order)]
    events.sort(key=lambda event: event["created_at"])
    payments = [payment_row(order) for order in orders if order["total_amount"]]
    for table, rows in (
        ("stock_movements", movements),
        ("payments", payments),
        ("order_events", events),
    ):
        loader.write(table, [{"id": loader.next_id(table)} | row for row in rows])


def _continue_after(session: Session, orders: list[Row]) -> None:
    """Let the series of order numbers go on after the last one given here."""
    if orders:
        statement = _GO_ON[session.get_bind().dialect.name]
        session.execute(sa.text(statement), {"last": int(orders[-1]["number"])})


def _basket_size(luck: float) -> int:
    """Return a geometric number of lines, 12 at most."""
    size = 1
    while luck < 0.45**size and size < 12:
        size += 1
    return size


def _free_number(session: Session) -> int:
    """Return the order number after the highest one; others may look like anything."""
    numbers = session.scalars(sa.select(Order.number))
    taken = [int(number) for number in numbers if number.isascii() and number.isdecimal()]
    return max([FIRST_NUMBER, *(number + 1 for number in taken)])


def _product_tags(articles: list[Article], reference: Reference) -> Iterator[Row]:
    for article in articles:
        for tag in article.tags:
            yield {"product_id": article.id, "tag_id": reference.tags[tag]}
