"""What an order is asked to be: its buyer and its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from backoffice.db import quantize
from backoffice.errors import InputError, NotFoundError, RuleViolationError
from backoffice.models import Product
from backoffice.services.amounts import NOTHING, spread
from backoffice.services.categories import category_paths
from backoffice.services.order_steps import clean_text
from backoffice.services.stock import short_of
from backoffice.services.users import clean_email

MOST_LINES = 200
MOST_UNITS = 1_000_000


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many units of one product; lines of the same product are added up."""

    product_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom an order is: a customer's account, or a guest by e-mail address.

    What is None comes from the account and its profile.
    """

    customer_id: int | None = None
    email: str | None = None
    name: str | None = None
    address: str | None = None
    country: str | None = None


def clean_lines(lines: Sequence[CartLine]) -> dict[int, int]:
    """Return the units by product, in the order of the ids; raise InputError for unusable ones."""
    if not lines:
        raise InputError("Put at least one product into the order.", field="lines")
    units: Counter[int] = Counter()
    for line in lines:
        field = f"lines.{line.product_id}.quantity"
        if line.quantity < 1:
            raise InputError("Order one unit at least.", field=field)
        units[line.product_id] += line.quantity
        if units[line.product_id] > MOST_UNITS:
            raise InputError(f"Order {MOST_UNITS:,} units at most.", field=field)
    if len(units) > MOST_LINES:
        raise InputError(f"An order has {MOST_LINES} products at most.", field="lines")
    return dict(sorted(units.items()))


def clean_buyer(buyer: Buyer) -> Buyer:
    """Return what was typed as it is kept; raise InputError for what cannot be used."""
    if buyer.customer_id is None and not buyer.email:
        raise InputError("Choose a customer, or write an e-mail address.", field="email")
    return Buyer(
        customer_id=buyer.customer_id,
        email=clean_email(buyer.email) if buyer.email else None,
        name=clean_text(buyer.name, "name", 200),
        address=clean_text(buyer.address, "address", 2000),
        country=clean_text(buyer.country, "country", 80),
    )


def clean_rate(rate: Decimal | None) -> Decimal | None:
    """Return a tax rate that can be used; raise InputError for any other."""
    if rate is None or (rate.is_finite() and 0 <= rate < 10 and rate == quantize(rate, 4)):
        return rate
    raise InputError("Write the tax rate as a share, such as 0.2 for 20 %.", field="tax_rate")


def require_sellable(products: Mapping[int, Product], product_id: int, quantity: int) -> None:
    """Raise NotFoundError or RuleViolationError unless so many units can be sold now."""
    product = products.get(product_id)
    if product is None:
        raise NotFoundError("There is no such product.", field=f"lines.{product_id}.product")
    if not product.is_available:
        raise RuleViolationError(
            f"{product} is not sold any more.", field=f"lines.{product_id}.product"
        )
    if product.stock < quantity:
        raise short_of(product)


def line_rows(
    session: Session,
    products: Sequence[Product],
    wanted: Mapping[int, int],
    *,
    discount: Decimal,
    tax_rate: Decimal | None,
) -> list[dict[str, Any]]:
    """Return the lines with their snapshots and amounts, each rounded by itself.

    The order's discount is spread by largest remainder, and each share kept. Joins the caller;
    raises InputError for a discount that is more than the goods cost.
    """
    paths = category_paths(session, {product.category_id for product in products})
    gross = [quantize(product.price * wanted[product.id], 2) for product in products]
    if discount > sum(gross, NOTHING):
        raise InputError("The discount is more than the goods cost.", field="discount_amount")
    return [
        {
            "product_id": product.id,
            "sku": product.sku,
            "product_name": product.name,
            "category_id": product.category_id,
            "category_path": paths.get(product.category_id),
            "unit_cost": product.unit_cost,
            "quantity": wanted[product.id],
            "unit_price": product.price,
            "discount_amount": share,
            "tax_rate": tax_rate,
            "tax_amount": quantize((worth - share) * (tax_rate or 0), 2),
            "line_total": worth - share,
        }
        for product, worth, share in zip(products, gross, spread(discount, gross), strict=True)
    ]
