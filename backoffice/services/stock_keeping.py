"""What staff do to the stock: take deliveries in, write goods off, correct it, count it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction
from backoffice.errors import InputError, InsufficientStockError, NotFoundError
from backoffice.models import ChangeSet, MovementKind, Product
from backoffice.services import audit
from backoffice.services.locks import lock_key, lock_products
from backoffice.services.order_steps import LONGEST_REASON, clean_text
from backoffice.services.stock import Move, move
from backoffice.services.stock_levels import read_committed

MOST_UNITS = 1_000_000
MOST_COUNTS = 200


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted of a product; `expected` is what was shown as on hand before."""

    product_id: int
    counted: int
    expected: int


@dataclass(slots=True)
class StockTake:
    """What became of counts, by the product's id: how far each was off, or why it was refused."""

    differences: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def receive_stock(
    actor: Actor,
    product_id: int,
    *,
    quantity: int,
    reason: str | None = None,
    key: str | None = None,
) -> int:
    """Add delivered units; return the stock. The same `key` adds them once."""
    actor.require(Permission.STOCK_RECEIVE)
    _require_units(quantity)
    return _change(actor, MovementKind.RECEIVE, product_id, quantity, reason, key)


def write_off(
    actor: Actor, product_id: int, *, quantity: int, reason: str, key: str | None = None
) -> int:
    """Take out what is broken or lost; return the stock that is left.

    The same `key` takes it once. Raises InsufficientStockError when less is left.
    """
    actor.require(Permission.STOCK_WRITE_OFF)
    _require_units(quantity)
    return _change(actor, MovementKind.WRITE_OFF, product_id, -quantity, _required(reason), key)


def adjust_stock(
    actor: Actor, product_id: int, *, delta: int, reason: str, key: str | None = None
) -> int:
    """Correct the stock by a difference; return the stock. The same `key` corrects it once.

    Raises InsufficientStockError when it would fall below zero.
    """
    actor.require(Permission.STOCK_ADJUST)
    if delta == 0:
        raise InputError("Enter a difference, such as 3 or -3.", field="quantity")
    _require_units(abs(delta))
    return _change(actor, MovementKind.ADJUST, product_id, delta, _required(reason), key)


def count_stock(actor: Actor, counts: Sequence[Count], *, reason: str) -> StockTake:
    """Set products to what was counted on hand, in one transaction; bad counts leave no trace.

    What open orders wait for still lies in the store: it is counted, and is not for sale. A count
    is refused when there is no such product, when what was expected is no longer so, or when
    fewer were found than open orders wait for; the others are kept.
    """
    actor.require(Permission.STOCK_ADJUST)
    reason = _required(reason)
    if len(counts) > MOST_COUNTS:
        raise InputError(f"Enter {MOST_COUNTS} counts at most at a time.")
    if len({count.product_id for count in counts}) != len(counts):
        raise InputError("Count each product once.")
    take = StockTake()
    with transaction() as session:
        products = lock_products(session, [count.product_id for count in counts])
        committed = read_committed(session, sorted(products))
        for count in counts:
            product = products.get(count.product_id)
            refusal = _refusal(count, product, committed.get(count.product_id, 0))
            if product is None or refusal:
                take.refused[count.product_id] = refusal
                continue
            take.differences[product.id] = count.counted - count.expected
        _set_counted(session, actor, products, take.differences, reason)
    return take


def _set_counted(
    session: Session,
    actor: Actor,
    products: dict[int, Product],
    differences: dict[int, int],
    reason: str,
) -> None:
    before = {key: products[key].stock for key, delta in differences.items() if delta}
    moves = [Move(key, differences[key], reason=reason) for key in sorted(before)]
    after = move(session, actor, MovementKind.ADJUST, moves)
    for key, stock in before.items():
        changes = {"stock": (stock, after[key])}
        audit.record(session, actor, "stock.count", products[key], changes=changes, reason=reason)


def _refusal(count: Count, product: Product | None, committed: int) -> str:
    """Return why a count cannot be kept, nothing when it can."""
    if product is None:
        return "There is no such product."
    if not 0 <= count.counted <= MOST_UNITS:
        return f"Enter a number from 0 to {MOST_UNITS:,}."
    on_hand = product.stock + committed
    if on_hand != count.expected:
        return (
            f"Meanwhile {on_hand} are on hand; {count.expected} were when you looked. Count again."
        )
    if count.counted < committed:
        return (
            f"Open orders wait for {committed}, and {count.counted} were counted. "
            "Cancel units of those orders first."
        )
    return ""


def _change(
    actor: Actor,
    kind: MovementKind,
    product_id: int,
    delta: int,
    reason: str | None,
    key: str | None,
) -> int:
    reason = clean_text(reason, "reason", LONGEST_REASON)
    form_key = key and _form_key(actor, kind, product_id, delta, reason, key)
    with transaction() as session:
        if form_key and _is_done(session, form_key):
            return session.get_one(Product, product_id).stock
        product = lock_products(session, [product_id]).get(product_id)
        if product is None:
            raise NotFoundError("There is no such product.")
        before = product.stock
        if before + delta < 0:
            raise InsufficientStockError(f"Only {before} are for sale.", field="quantity")
        after = move(session, actor, kind, [Move(product_id, delta, reason=reason)])[product_id]
        audit.record(
            session,
            actor,
            f"stock.{kind}",
            product,
            changes={"stock": (before, after)},
            reason=reason,
            form_key=form_key,
        )
    return after


def _is_done(session: Session, form_key: str) -> bool:
    lock_key(session, form_key)
    made = sa.select(ChangeSet.id).where(ChangeSet.form_key == form_key)
    return session.scalar(made) is not None


def _form_key(actor: Actor, *values: object) -> str:
    content = json.dumps([actor.user_id, "stock", *values])
    return hashlib.sha256(content.encode()).hexdigest()


def _require_units(quantity: int) -> None:
    if not 1 <= quantity <= MOST_UNITS:
        raise InputError(f"Enter a number from 1 to {MOST_UNITS:,}.", field="quantity")


def _required(reason: str) -> str:
    cleaned = clean_text(reason, "reason", LONGEST_REASON)
    if cleaned is None:
        raise InputError("Say why.", field="reason")
    return cleaned
