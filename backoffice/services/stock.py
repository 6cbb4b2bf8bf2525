"""Stock: one guarded UPDATE and one row of the ledger for every change of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice.access import Actor
from backoffice.db import utc_now
from backoffice.errors import InsufficientStockError
from backoffice.models import MovementKind, Product, StockMovement

_PRODUCTS = cast("sa.Table", Product.__table__)
_MOVEMENTS = cast("sa.Table", StockMovement.__table__)
# What is returned makes it one statement for all rows.
_INSERT_MOVEMENTS = sa.insert(_MOVEMENTS).returning(_MOVEMENTS.c.id)


@dataclass(frozen=True, slots=True)
class Move:
    """So many units of one product, and what caused it; a sale or a write-off is negative."""

    product_id: int
    delta: int
    order_item_id: int | None = None
    refund_item_id: int | None = None
    reason: str | None = None


def move(
    session: Session, actor: Actor, kind: MovementKind, moves: Sequence[Move]
) -> dict[int, int]:
    """Change the stock and write the ledger in the caller's transaction; return the new balances.

    Lock several products with `locks.lock_products` first. Raises InsufficientStockError, and
    changes nothing, where less is left than is to be taken.
    """
    deltas: Counter[int] = Counter()
    for each in moves:
        deltas[each.product_id] += each.delta
    balances = change(session, deltas)
    log(session, actor, kind, moves, balances)
    return balances


def change(session: Session, deltas: Mapping[int, int]) -> dict[int, int]:
    """Change the stock of locked products by one guarded UPDATE; return the new balances.

    Whoever calls this writes the ledger by `log`. Raises InsufficientStockError.
    """
    if not deltas:
        return {}
    values: dict[str, Any] = {"ids": sorted(deltas), "now": utc_now()}
    for place, (product_id, delta) in enumerate(deltas.items()):
        values |= {f"id_{place}": product_id, f"delta_{place}": delta}
    rows = session.execute(_guarded(len(deltas)), values)
    balances: dict[int, int] = {row.id: row.stock for row in rows}
    if missing := sorted(deltas.keys() - balances.keys()):
        raise _not_enough(session, missing[0])
    for product_id, stock in balances.items():
        _tell_session(session, product_id, stock)
    return balances


@cache
def _guarded(count: int) -> sa.UpdateBase:
    """Return the statement for so many products; to build it takes longer than to run it."""
    products = _PRODUCTS.c
    whens: list[tuple[Any, Any]] = [
        (products.id == sa.bindparam(f"id_{place}"), sa.bindparam(f"delta_{place}", 0))
        for place in range(count)
    ]
    delta = sa.case(*whens)
    return (
        sa.update(_PRODUCTS)
        .where(products.id.in_(sa.bindparam("ids", expanding=True)), products.stock + delta >= 0)
        .values(stock=products.stock + delta, updated_at=sa.bindparam("now"))
        .returning(products.id, products.stock)
    )


def log(
    session: Session,
    actor: Actor,
    kind: MovementKind,
    moves: Sequence[Move],
    balances: Mapping[int, int],
) -> None:
    """Write the ledger's rows of a change that left `balances`."""
    now, left = utc_now(), dict(balances)
    rows = []
    for each in reversed(moves):
        rows.append(
            {
                "product_id": each.product_id,
                "kind": kind,
                "delta": each.delta,
                "balance_after": left[each.product_id],
                "order_item_id": each.order_item_id,
                "refund_item_id": each.refund_item_id,
                "reason": each.reason,
                "actor_id": actor.user_id,
                "actor_name": actor.name,
                "created_at": now,
            }
        )
        left[each.product_id] -= each.delta
    if rows:
        session.execute(_INSERT_MOVEMENTS, rows[::-1])


def short_of(product: Product) -> InsufficientStockError:
    """Return the error that says how many units of the product are left."""
    left = f"Only {product.stock} of {product} are left." if product.stock else ""
    return InsufficientStockError(
        left or f"{product} is sold out.", field=f"lines.{product.id}.quantity"
    )


def _not_enough(session: Session, product_id: int) -> InsufficientStockError:
    product = session.get(Product, product_id, populate_existing=True)
    if product is None:
        return InsufficientStockError("There is no such product.")
    return short_of(product)


def _tell_session(session: Session, product_id: int, stock: int) -> None:
    """Let a product that the session holds know its new stock."""
    key = session.identity_key(Product, product_id)
    if (held := session.identity_map.get(key)) is not None:
        set_committed_value(held, "stock", stock)
