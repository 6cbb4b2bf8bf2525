"""Orders and their lines: what was in the basket, what it cost, and how far it has come."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from backoffice.db import quantize
from backoffice.models import OrderStatus
from backoffice.seeding.catalogue import Article
from backoffice.seeding.demand import is_sale
from backoffice.seeding.people import HOME, Person
from backoffice.seeding.plan import Plan

FREE_SHIPPING_FROM = Decimal(60)
SHIPPING_HOME, SHIPPING_ABROAD = Decimal("4.95"), Decimal("12.95")
TAX_PERCENT = {HOME: 20, "Germany": 19, "France": 20, "Ireland": 23}

_CANCEL_REASONS = (
    "Not paid in time",
    "Payment failed",
    "Ordered twice by mistake",
    "Customer changed their mind",
)
_UNITS = (1, 2, 3, 4, 6, 10)
_UNITS_WEIGHTS = (78, 13, 4, 2, 2, 1)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who an order is for, as the order keeps it; `user_id` is None for a guest."""

    person: Person
    address: str
    user_id: int | None


def order_row(plan: Plan, rng: random.Random, placed_at: datetime, buyer: Buyer) -> Row:
    """Return an order without amounts: who, when, and the state that its age makes likely."""
    row: Row = {
        "user_id": buyer.user_id,
        "email": buyer.person.email,
        "customer_name": buyer.person.full_name,
        "address": buyer.address,
        "country": buyer.person.country,
        "currency": plan.currency,
        "placed_at": placed_at,
        "placed_on": plan.local_day(placed_at),
        "idempotency_key": None,
        "version": 1,
        "created_at": placed_at,
    }
    return row | _progress(plan, rng, placed_at)


def _progress(plan: Plan, rng: random.Random, placed_at: datetime) -> Row:
    """Return state and moments; what would come after the plan's now has not happened yet."""
    row: Row = dict.fromkeys(
        ("paid_at", "paid_on", "shipped_at", "completed_at", "cancelled_at", "cancel_reason")
    )
    cancelled_at = placed_at + timedelta(minutes=rng.randrange(20, 72 * 60))
    paid_at = placed_at + _time_to_pay(rng)
    shipped_at = _next_shift(plan, rng, paid_at)
    completed_at = shipped_at + timedelta(minutes=rng.randrange(26 * 60, 9 * 24 * 60))
    if rng.random() < plan.cancelled_share and cancelled_at <= plan.now:
        reason = rng.choice(_CANCEL_REASONS)
        row |= {"cancelled_at": cancelled_at, "cancel_reason": reason}
        return row | {"status": OrderStatus.CANCELLED, "updated_at": cancelled_at}
    status, updated_at = OrderStatus.PENDING, placed_at
    if paid_at <= plan.now:
        row |= {"paid_at": paid_at, "paid_on": plan.local_day(paid_at)}
        picked = plan.now - paid_at > timedelta(hours=20)
        status = OrderStatus.PROCESSING if picked else OrderStatus.PAID
        updated_at = paid_at
    if shipped_at <= plan.now:
        row["shipped_at"] = updated_at = shipped_at
        status = OrderStatus.SHIPPED
    if completed_at <= plan.now:
        row["completed_at"] = updated_at = completed_at
        status = OrderStatus.COMPLETED
    return row | {"status": status, "updated_at": updated_at}


def _time_to_pay(rng: random.Random) -> timedelta:
    """By card within minutes; the others by bank transfer, which takes up to three days."""
    if rng.random() < 0.7:
        return timedelta(seconds=rng.randrange(20, 900))
    return timedelta(minutes=rng.randrange(12 * 60, 72 * 60))


def _next_shift(plan: Plan, rng: random.Random, paid_at: datetime) -> datetime:
    """Return when a parcel leaves: one to four days later in office hours, never on a Sunday."""
    day = plan.local_day(paid_at) + timedelta(days=rng.choices((1, 2, 3, 4), (40, 30, 20, 10))[0])
    if day.weekday() == 6:
        day += timedelta(days=1)
    return plan.moment(day, time(rng.randrange(8, 17), rng.randrange(60), rng.randrange(60)))


def item_rows(plan: Plan, rng: random.Random, order: Row, basket: list[Article]) -> list[Row]:
    """Return the lines of an order, with discount and tax each rounded half up by line."""
    percent = _discount_percent(plan, rng, order["placed_at"])
    return [_item_row(rng, order, article, percent) for article in basket]


def _discount_percent(plan: Plan, rng: random.Random, placed_at: datetime) -> int:
    on_sale = is_sale(plan.local_day(placed_at))
    if rng.random() >= (0.5 if on_sale else 0.08):
        return 0
    return rng.choice((10, 15, 20))


def _item_row(rng: random.Random, order: Row, article: Article, percent: int) -> Row:
    quantity = rng.choices(_UNITS, _UNITS_WEIGHTS)[0]
    gross = quantize(quantity * article.price, 2)
    discount = quantize(gross * percent / 100, 2)
    tax_percent = TAX_PERCENT.get(order["country"], 0)
    tax = quantize((gross - discount) * tax_percent / 100, 2)
    article.units_sold += quantity
    has_left = order["shipped_at"] is not None
    return {
        "order_id": order["id"],
        "product_id": article.id,
        "sku": article.sku,
        "product_name": article.name,
        "category_id": article.category_id,
        "category_path": article.category,
        "unit_cost": article.unit_cost,
        "quantity": quantity,
        "unit_price": article.price,
        "discount_amount": discount,
        "tax_amount": tax,
        "tax_rate": Decimal(tax_percent) / 100,
        "line_total": gross - discount,
        "quantity_shipped": quantity if has_left else 0,
        "quantity_cancelled": quantity if order["status"] is OrderStatus.CANCELLED else 0,
        "quantity_refunded": 0,
    }


def amounts(country: str, items: list[Row]) -> Row:
    """Return an order's amounts as the sums of its lines, with shipping."""
    discount = sum((item["discount_amount"] for item in items), Decimal(0))
    goods = sum((item["line_total"] for item in items), Decimal(0))
    tax = sum((item["tax_amount"] for item in items), Decimal(0))
    shipping = SHIPPING_HOME if country == HOME else SHIPPING_ABROAD
    if goods >= FREE_SHIPPING_FROM:
        shipping = Decimal(0)
    return {
        "subtotal_amount": goods + discount,
        "discount_amount": discount,
        "shipping_amount": shipping,
        "tax_amount": tax,
        "total_amount": goods + shipping + tax,
    }
