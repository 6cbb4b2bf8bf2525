"""Placing an order: the one way in which stock is sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission, Role
from backoffice.db import transaction, utc_now
from backoffice.errors import InputError, NotFoundError, RuleViolationError
from backoffice.models import (
    MovementKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderItem,
    OrderStatus,
    Product,
)
from backoffice.services import audit, stock
from backoffice.services.amounts import LARGEST, NOTHING, clean_amount
from backoffice.services.carts import (
    Buyer,
    CartLine,
    clean_buyer,
    clean_lines,
    clean_rate,
    line_rows,
    require_sellable,
)
from backoffice.services.locks import Customer, lock_customer, lock_products
from backoffice.services.numbers import ORDER_NUMBERS, next_number
from backoffice.services.order_steps import clean_key
from backoffice.services.shop import Shop, require_currency

_ORDERS, _ITEMS, _EVENTS = (
    cast("sa.Table", model.__table__) for model in (Order, OrderItem, OrderEvent)
)
# Built once: at each order, that would take longer than the driver does.
_INSERT_ORDER = sa.insert(_ORDERS).returning(_ORDERS.c.id)
_INSERT_ITEMS = sa.insert(_ITEMS).returning(_ITEMS.c.id, _ITEMS.c.product_id)
_INSERT_EVENTS = sa.insert(_EVENTS)
_BY_KEY = sa.select(Order).where(Order.idempotency_key == sa.bindparam("key"))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A product that could not be sold, and why in a sentence."""

    product_id: int
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """The order that was made; `is_repeat` where its key had made it before."""

    order_id: int
    number: str
    skipped: tuple[Skipped, ...] = ()
    is_repeat: bool = False


def place_order(
    actor: Actor,
    buyer: Buyer,
    *,
    lines: Sequence[CartLine],
    key: str,
    shop: Shop,
    discount_amount: Decimal = NOTHING,
    shipping_amount: Decimal = NOTHING,
    tax_rate: Decimal | None = None,
    currency: str | None = None,
    skip_unavailable: bool = False,
) -> PlacedOrder:
    """Sell products at their present prices: a pending order whose stock is taken already.

    The same `key` makes one order however often it comes. The discount is spread over the lines by
    their worth; `tax_rate` is a share on top. An order that costs nothing is paid at once. With
    `skip_unavailable` what cannot be delivered is left out and told; otherwise nothing is written.
    Raises InputError, NotFoundError and InsufficientStockError with the field to blame.
    """
    actor.require(Permission.ORDER_PLACE)
    require_currency(currency, shop.currency)
    placing = _Placing(
        actor=actor,
        buyer=clean_buyer(buyer),
        wanted=clean_lines(lines),
        key=clean_key(key),
        shop=shop,
        discount=clean_amount(discount_amount, "discount_amount"),
        shipping=clean_amount(shipping_amount, "shipping_amount"),
        tax_rate=clean_rate(tax_rate),
        skip_unavailable=skip_unavailable,
    )
    try:
        with transaction() as session:
            return placing.run(session)
    except IntegrityError:
        # Somebody was quicker with the same key and other products.
        with transaction() as session:
            if earlier := placing.earlier(session):
                return earlier
        raise


@dataclass(frozen=True, slots=True)
class _Placing:
    """One placement on its way through the transaction."""

    actor: Actor
    buyer: Buyer
    wanted: Mapping[int, int]
    key: str
    shop: Shop
    discount: Decimal
    shipping: Decimal
    tax_rate: Decimal | None
    skip_unavailable: bool

    def run(self, session: Session) -> PlacedOrder:
        products = lock_products(session, self.wanted)
        # After the lock: whoever had the same key and the last pieces is done by now.
        if earlier := self.earlier(session):
            return earlier
        customer = self._customer(session)
        balances, skipped = self._take(session, products)
        sold = [products[key] for key in self.wanted if key in balances]
        items = line_rows(
            session, sold, self.wanted, discount=self.discount, tax_rate=self.tax_rate
        )
        order = self._order(session, customer, items)
        self._write(session, order, items, balances)
        self._record(session, order, items, customer)
        return PlacedOrder(order["id"], order["number"], tuple(skipped))

    def earlier(self, session: Session) -> PlacedOrder | None:
        """Return the order that this key made; raise RuleViolationError for another's key."""
        found = session.scalar(_BY_KEY, {"key": self.key})
        if found is None:
            return None
        if not self._is_asked(session, found):
            raise RuleViolationError("This form has made another order already. Begin a new one.")
        return PlacedOrder(found.id, found.number, is_repeat=True)

    def _is_asked(self, session: Session, found: Order) -> bool:
        """Whether an order is what is asked for, or what of it there was."""
        terms = (found.user_id, found.discount_amount, found.shipping_amount)
        is_same = terms == (self.buyer.customer_id, self.discount, self.shipping)
        if not is_same or self.buyer.email not in (None, found.email):
            return False
        lines = sa.select(OrderItem).where(OrderItem.order_id == found.id)
        made = {(line.product_id, line.quantity) for line in session.scalars(lines)}
        asked = set(self.wanted.items())
        return made <= asked if self.skip_unavailable else made == asked

    def _customer(self, session: Session) -> Customer | None:
        """Return the account of the buyer, None for a guest; refuse who cannot buy."""
        if self.buyer.customer_id is None:
            return None
        customer = lock_customer(session, self.buyer.customer_id)
        if customer is None or customer.role is not Role.CUSTOMER:
            raise NotFoundError("There is no such customer.", field="customer")
        if not customer.is_active:
            raise RuleViolationError(
                f"The account of {customer.username} is deactivated.", field="customer"
            )
        return customer

    def _take(
        self, session: Session, products: Mapping[int, Product]
    ) -> tuple[dict[int, int], list[Skipped]]:
        """Take the stock; return the new balances by product, and what was left out."""
        if not self.skip_unavailable:
            for product_id, quantity in self.wanted.items():
                require_sellable(products, product_id, quantity)
            return stock.change(session, {key: -units for key, units in self.wanted.items()}), []
        balances: dict[int, int] = {}
        skipped: list[Skipped] = []
        for product_id, quantity in self.wanted.items():
            try:
                with session.begin_nested():
                    require_sellable(products, product_id, quantity)
                    balances |= stock.change(session, {product_id: -quantity})
            except (NotFoundError, RuleViolationError) as error:
                skipped.append(Skipped(product_id, quantity, str(error)))
        if not balances:
            reasons = " ".join(each.reason for each in skipped)
            raise RuleViolationError(f"None of this can be delivered. {reasons}", field="lines")
        return balances, skipped

    def _order(
        self, session: Session, customer: Customer | None, items: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Insert the order; return its row."""
        now = utc_now()
        goods = sum((item["line_total"] for item in items), NOTHING)
        tax = sum((item["tax_amount"] for item in items), NOTHING)
        total = goods + self.shipping + tax
        if max(total, goods + self.discount) > LARGEST:
            raise InputError("The order's total is too large.", field="lines")
        paid_at = None if total else now
        row: dict[str, Any] = {
            **self._snapshot(customer),
            "currency": self.shop.currency,
            "subtotal_amount": goods + self.discount,
            "discount_amount": self.discount,
            "shipping_amount": self.shipping,
            "tax_amount": tax,
            "total_amount": total,
            "status": OrderStatus.PENDING if total else OrderStatus.PAID,
            "placed_at": now,
            "placed_on": self.shop.day(now),
            "paid_at": paid_at,
            "paid_on": paid_at and self.shop.day(paid_at),
            "idempotency_key": self.key,
            "version": 1,
            "number": next_number(session, ORDER_NUMBERS),
        }
        row["id"] = session.scalar(_INSERT_ORDER, row)
        return row

    def _snapshot(self, customer: Customer | None) -> dict[str, Any]:
        """Return who buys; what was not given comes from the account and its profile."""
        buyer = self.buyer
        return {
            "user_id": buyer.customer_id,
            "email": buyer.email or (customer and customer.email),
            "customer_name": buyer.name or (customer and customer.full_name) or None,
            "address": buyer.address,
            "country": buyer.country or (customer and customer.country),
        }

    def _write(
        self,
        session: Session,
        order: Mapping[str, Any],
        items: Sequence[dict[str, Any]],
        balances: Mapping[int, int],
    ) -> None:
        """Insert the lines, the rows of the ledger and the timeline."""
        rows = [item | {"order_id": order["id"]} for item in items]
        made = session.execute(_INSERT_ITEMS, rows)
        sales = [
            stock.Move(row.product_id, -self.wanted[row.product_id], order_item_id=row.id)
            for row in made
        ]
        stock.log(session, self.actor, MovementKind.SALE, sales, balances)
        session.execute(_INSERT_EVENTS, list(self._events(order)))

    def _record(
        self,
        session: Session,
        order: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        customer: Customer | None,
    ) -> None:
        """Insert the change set."""
        told = {field: (None, order[field]) for field in _TOLD if order[field] is not None}
        details: dict[str, Any] = {
            "lines": [f"{each['quantity']} × {each['sku']}" for each in items]
        }
        if customer is not None:
            told["user"] = (None, customer.username)
            details[audit.KEYS] = {"user": [None, customer.id]}
        audit.record_row(session, self.actor, "order.place", order, Order, told, details)

    def _events(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        event = {
            "order_id": order["id"],
            "kind": OrderEventKind.PLACED,
            "from_status": None,
            "to_status": OrderStatus.PENDING,
            "body": None,
            "actor_id": self.actor.user_id,
            "actor_name": self.actor.name,
            "created_at": order["placed_at"],
        }
        if order["status"] is OrderStatus.PENDING:
            return [event]
        paid = {
            "kind": OrderEventKind.STATUS_CHANGED,
            "from_status": OrderStatus.PENDING,
            "to_status": OrderStatus.PAID,
            "body": "There is nothing to pay.",
        }
        return [event, event | paid]


_TOLD = ("number", "email", "currency", "total_amount", "status", "placed_at")
