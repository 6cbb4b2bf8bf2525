"""The demo shop looks like a shop: shapes by bands, moments and sums without exception."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session, selectinload

from backoffice.access import command_actor
from backoffice.db import db, quantize
from backoffice.models import Category, Order, OrderItem, OrderStatus, Product, Profile, Tag, User
from backoffice.seeding.plan import Plan
from backoffice.seeding.shop import seed_shop
from tests.cleaning import empty_tables
from tests.factories import count


@pytest.fixture(scope="module")
def shop(migrated_app: Flask, plan: Plan) -> Iterator[Session]:
    """The demo shop, only read by these tests."""
    with migrated_app.app_context():
        try:
            seed_shop(command_actor("tester"), plan, environment="testing")
            yield db.session()
        finally:
            db.session.remove()
            empty_tables()


@pytest.fixture(scope="module")
def orders(shop: Session) -> list[Order]:
    query = sa.select(Order).options(selectinload(Order.items), selectinload(Order.user))
    return list(shop.scalars(query.order_by(Order.id)))


def _per_month(orders: list[Order]) -> dict[str, int]:
    return Counter(f"{order.placed_on:%Y-%m}" for order in orders)


def _share(part: Any, whole: Any) -> float:
    return len(list(part)) / len(list(whole))


def test_the_amounts_are_as_ordered(shop: Session, plan: Plan) -> None:
    assert count(shop, Product) == plan.products == 300
    assert count(shop, User) == count(shop, Profile) == plan.customers == 500
    assert count(shop, Order) == plan.orders == 3000
    assert count(shop, Category) > 20
    assert count(shop, Tag) > 8


def test_november_is_the_peak(orders: list[Order], plan: Plan) -> None:
    months = _per_month(orders)

    assert len(months) == plan.months == 24
    for november in ("2024-11", "2025-11"):
        around = sorted(months)[max(0, sorted(months).index(november) - 6) :][:13]
        assert 1.3 < months[november] / mean(months[month] for month in around) < 2.2


def test_customers_are_many_who_buy_once_and_few_who_buy_often(orders: list[Order]) -> None:
    by_address = Counter(order.email for order in orders).values()
    by_account = Counter(order.user_id for order in orders if order.user_id)

    assert 0.55 < _share((n for n in by_address if n == 1), by_address) < 0.70
    assert median(by_account.values()) <= 4
    assert 20 < max(by_account.values()) < 150
    assert 0.15 < _share((order for order in orders if order.user_id is None), orders) < 0.25


def test_few_products_make_most_of_the_revenue(shop: Session) -> None:
    query = sa.select(sa.func.sum(OrderItem.line_total)).group_by(OrderItem.product_id)
    revenue = sorted(shop.scalars(query), reverse=True)

    assert 0.60 < float(sum(revenue[:60]) / sum(revenue)) < 0.80
    assert 0.02 < 1 - len(revenue) / 300 < 0.08


def test_state_follows_age(orders: list[Order], plan: Plan) -> None:
    states = Counter(order.status for order in orders)
    old = [order for order in orders if plan.now - order.placed_at > timedelta(days=21)]
    waiting = [order for order in orders if order.status is OrderStatus.PENDING]

    assert set(states) == set(OrderStatus)
    assert 0.02 < states[OrderStatus.CANCELLED] / len(orders) < 0.045
    assert {order.status for order in old} == {OrderStatus.COMPLETED, OrderStatus.CANCELLED}
    assert all(plan.now - order.placed_at <= timedelta(days=3) for order in waiting)


def test_moments_are_in_order_and_none_is_in_the_future(orders: list[Order], plan: Plan) -> None:
    for order in orders:
        steps = [order.placed_at, order.paid_at, order.shipped_at, order.completed_at]
        taken = [step for step in steps if step]
        assert taken == sorted(taken)
        assert steps[: len(taken)] == taken
        assert max([*taken, order.cancelled_at or taken[0]]) == order.updated_at <= plan.now
        assert order.created_at == order.placed_at
        assert order.user is None or order.user.created_at <= order.placed_at
        assert not (order.cancelled_at and order.paid_at)
    assert [order.placed_at for order in orders] == sorted(order.placed_at for order in orders)


def test_days_are_those_of_the_shop(orders: list[Order], plan: Plan) -> None:
    zone = ZoneInfo(plan.zone)

    for order in orders:
        assert order.placed_on == order.placed_at.astimezone(zone).date()
        assert order.paid_on == (order.paid_at and order.paid_at.astimezone(zone).date())
    eve = datetime(2025, 12, 31, 23, 30, tzinfo=zone)
    assert any(order.placed_at == eve for order in orders)


def test_parcels_leave_in_office_hours_and_never_on_sundays(
    orders: list[Order], plan: Plan
) -> None:
    sent = [
        order.shipped_at.astimezone(ZoneInfo(plan.zone)) for order in orders if order.shipped_at
    ]

    assert {moment.weekday() for moment in sent} == {0, 1, 2, 3, 4, 5}
    assert {moment.hour for moment in sent} <= set(range(8, 17))


def test_lines_add_up_to_their_order(orders: list[Order]) -> None:
    for order in orders:
        lines = order.items
        for line in lines:
            gross = quantize(line.quantity * line.unit_price, 2)
            assert line.line_total == gross - line.discount_amount
        assert order.discount_amount == sum(line.discount_amount for line in lines)
        assert order.tax_amount == sum(line.tax_amount for line in lines)
        goods = sum((line.line_total for line in lines), Decimal(0))
        assert order.subtotal_amount == goods + order.discount_amount
        assert order.total_amount == goods + order.shipping_amount + order.tax_amount


def test_some_orders_have_discount_shipping_and_tax(orders: list[Order]) -> None:
    for amount in ("discount_amount", "shipping_amount", "tax_amount"):
        assert 0.05 < _share((o for o in orders if getattr(o, amount)), orders) < 0.98


def test_lines_keep_what_was_sold(shop: Session) -> None:
    tree: dict[int | None, Category] = {
        category.id: category for category in shop.scalars(sa.select(Category))
    }
    query = sa.select(OrderItem, Product, Order.placed_at).join(Product).join(Order)

    for line, product, placed_at in shop.execute(query):
        leaf = tree[line.category_id]
        path = f"{leaf.parent.name} / {leaf.name}" if leaf.parent else leaf.name
        assert (line.sku, line.product_name) == (product.sku, product.name)
        assert (line.category_path, line.category_id) == (path, product.category_id)
        assert (line.unit_price, line.unit_cost) == (product.price, product.unit_cost)
        assert product.created_at <= placed_at


def test_products_are_priced_with_a_margin_and_some_run_low(shop: Session) -> None:
    products = list(shop.scalars(sa.select(Product)))

    assert {product.price % 1 for product in products} == {Decimal("0.99")}
    assert all(0 < (product.unit_cost or 0) < product.price for product in products)
    assert len({product.name for product in products}) == len(products)
    assert 5 < len([p for p in products if p.stock == 0]) < 40
    assert 5 < len([p for p in products if 0 < p.stock <= p.low_stock_threshold]) < 60
    assert any(product.tags for product in products)


def test_everybody_is_made_up_and_nobody_can_sign_in(shop: Session, orders: list[Order]) -> None:
    users = list(shop.scalars(sa.select(User).order_by(User.id)))

    assert all((user.email or "").endswith("@example.com") for user in users)
    assert all((order.email or "").endswith("@example.com") for order in orders)
    assert all(user.password_hash is None for user in users)
    assert [user.created_at for user in users] == sorted(user.created_at for user in users)
    assert all(order.email == order.user.email for order in orders if order.user)


def test_some_guests_made_an_account_later(shop: Session, orders: list[Order]) -> None:
    addresses = set(shop.scalars(sa.select(User.email)))

    assert 5 < len([o for o in orders if o.user_id is None and o.email in addresses]) < 100
