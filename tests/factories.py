"""Rows for tests, one function per table; each commits, so that requests and commands see it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from backoffice.access import Role
from backoffice.models import (
    Category,
    LoginSession,
    MovementKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    PriceChange,
    Product,
    Profile,
    Refund,
    RefundItem,
    RefundStatus,
    StockMovement,
    Tag,
    User,
)
from backoffice.services.login_sessions import token_hash

PASSWORD = "correct horse battery staple"
_PASSWORD_HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")
T = TypeVar("T")
_numbers = itertools.count(1)


def _add(session: Session, row: T) -> T:
    session.add(row)
    session.commit()
    return row


def count(session: Session, model: type[Any]) -> int:
    """Return how many rows there are."""
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def make_user(session: Session, role: Role = Role.CUSTOMER, **values: Any) -> User:
    username = values.pop("username", f"{role.value}{next(_numbers)}")
    defaults = {"email": f"{username}@example.com", "password_hash": _PASSWORD_HASH}
    return _add(session, User(username=username, role=role, **(defaults | values)))


def make_login(session: Session, user: User, **values: Any) -> dict[str, Any]:
    """Sign a user in; return what their browser's cookie then holds."""
    token = f"token-{next(_numbers)}"
    _add(session, LoginSession(user_id=user.id, token_hash=token_hash(token), **values))
    return {"_user_id": f"{user.id}:{user.session_version}", "login_token": token}


def make_profile(session: Session, user: User, **values: Any) -> Profile:
    return _add(session, Profile(user=user, **({"full_name": "Ada Example"} | values)))


def make_category(session: Session, name: str, parent: Category | None = None) -> Category:
    return _add(session, Category(name=name, parent=parent))


def make_tag(session: Session, name: str) -> Tag:
    return _add(session, Tag(name=name))


def make_product(session: Session, **values: Any) -> Product:
    number = next(_numbers)
    defaults = {"sku": f"SKU-{number}", "name": f"Product {number}", "price": Decimal("10.00")}
    return _add(session, Product(**(defaults | values)))


def make_order(
    session: Session,
    *lines: tuple[Product, int, Decimal],
    placed_at: datetime = datetime(2026, 1, 15, 12, tzinfo=UTC),
    user: User | None = None,
    status: OrderStatus = OrderStatus.COMPLETED,
    **values: Any,
) -> Order:
    """An order of (product, quantity, unit price) lines, paid at once unless it is pending."""
    items = [
        OrderItem(
            product=product,
            sku=product.sku,
            product_name=product.name,
            category_id=product.category_id,
            quantity=quantity,
            unit_price=price,
            line_total=(price * quantity).quantize(Decimal("0.01")),
        )
        for product, quantity, price in lines
    ]
    total = sum((item.line_total for item in items), Decimal(0))
    paid = status not in (OrderStatus.PENDING, OrderStatus.CANCELLED)
    defaults: dict[str, Any] = {
        "number": f"T{next(_numbers):06}",
        "currency": "GBP",
        "subtotal_amount": total,
        "total_amount": total,
        "placed_at": placed_at,
        "placed_on": placed_at.date(),
        "paid_at": placed_at if paid else None,
        "paid_on": placed_at.date() if paid else None,
        "completed_at": placed_at if status is OrderStatus.COMPLETED else None,
    }
    return _add(session, Order(user=user, status=status, items=items, **(defaults | values)))


def make_payment(
    session: Session, order: Order, captured: Decimal | None = None, **values: Any
) -> Payment:
    """A captured payment of the order's total; of less with `captured`, or without any with 0."""
    amount = order.total_amount if captured is None else captured
    defaults: dict[str, Any] = {
        "provider": "card",
        "provider_ref": f"ref-{next(_numbers)}",
        "status": PaymentStatus.CAPTURED if amount else PaymentStatus.PENDING,
        "amount": order.total_amount,
        "captured_amount": amount,
        "captured_at": order.placed_at if amount else None,
    }
    return _add(session, Payment(order=order, **(defaults | values)))


def make_refund(
    session: Session,
    payment: Payment,
    *items: tuple[OrderItem, int, Decimal],
    status: RefundStatus = RefundStatus.SUCCEEDED,
    **values: Any,
) -> Refund:
    """A refund of (line, quantity, amount) items, taken off its payment; nothing is put back."""
    number = next(_numbers)
    amount = values.pop("amount", sum((item[2] for item in items), Decimal(0)))
    done = status is not RefundStatus.PENDING
    if status is RefundStatus.PENDING:
        payment.refund_pending_amount += amount
    elif status is RefundStatus.SUCCEEDED:
        payment.refunded_amount += amount
        for line, quantity, _amount in items:
            line.quantity_refunded += quantity
    processed_at = values.pop("processed_at", payment.order.placed_at) if done else None
    defaults: dict[str, Any] = {
        "number": f"R{number:06}",
        "order": payment.order,
        "user_id": payment.order.user_id,
        "currency": payment.order.currency,
        "amount": amount,
        "reason": "Damaged",
        "idempotency_key": f"key-{number}",
        "actor_name": "tester",
        "processed_at": processed_at,
        "processed_on": processed_at.date() if processed_at else None,
        "items": [
            RefundItem(order_item=line, quantity=quantity, amount=part)
            for line, quantity, part in items
        ],
    }
    return _add(session, Refund(payment=payment, status=status, **(defaults | values)))


def move_stock(
    session: Session,
    product: Product,
    delta: int,
    kind: MovementKind = MovementKind.RECEIVE,
    **values: Any,
) -> StockMovement:
    """A movement, and the stock that it leaves."""
    product.stock = (product.stock or 0) + delta
    defaults: dict[str, Any] = {"balance_after": product.stock, "actor_name": "tester"}
    movement = StockMovement(product=product, kind=kind, delta=delta, **(defaults | values))
    return _add(session, movement)


def make_order_event(
    session: Session, order: Order, kind: OrderEventKind = OrderEventKind.PLACED, **values: Any
) -> OrderEvent:
    return _add(session, OrderEvent(order=order, kind=kind, **({"actor_name": "tester"} | values)))


def make_price_change(
    session: Session, product: Product, new_price: Decimal, **values: Any
) -> PriceChange:
    defaults: dict[str, Any] = {"old_price": product.price, "actor_name": "tester"}
    product.price = new_price
    return _add(session, PriceChange(product=product, new_price=new_price, **(defaults | values)))


def make_past(session: Session, order: Order) -> dict[str, int]:
    """One row in each table about what happened to an order and its product: {table: id}."""
    line = order.items[0]
    payment = make_payment(session, order)
    return {
        "payments": payment.id,
        "refunds": make_refund(session, payment, (line, 1, line.line_total)).id,
        "order_events": make_order_event(session, order).id,
        "stock_movements": move_stock(session, line.product, 3).id,
        "price_changes": make_price_change(session, line.product, line.product.price + 1).id,
    }


def take_off(session: Session, order: Order, discount: Decimal) -> None:
    """Give a discount on the first line of an order."""
    line = order.items[0]
    line.discount_amount, line.line_total = discount, line.line_total - discount
    order.discount_amount, order.total_amount = discount, order.total_amount - discount
    session.commit()
