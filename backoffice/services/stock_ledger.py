"""Bringing the ledger to the stock where somebody changed the stock past it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction
from backoffice.errors import InputError
from backoffice.models import MovementKind, StockMovement
from backoffice.services import audit
from backoffice.services.locks import lock_products
from backoffice.services.order_steps import LONGEST_REASON, clean_text
from backoffice.services.stock import Move, log


@dataclass(frozen=True, slots=True)
class Correction:
    """What the ledger said of a product, and the stock that it now adds up to."""

    product: str
    ledger: int
    stock: int


def reconcile_ledger(
    actor: Actor, product_ids: Collection[int], *, reason: str
) -> list[Correction]:
    """Add an entry to the ledger of each product whose movements are not its stock.

    The stock stays: it is what the shop sells from. One transaction, each product read again
    under its lock.
    """
    actor.require(Permission.STOCK_ADJUST)
    cleaned = clean_text(reason, "reason", LONGEST_REASON)
    if cleaned is None:
        raise InputError("Say why.", field="reason")
    corrections = []
    with transaction() as session:
        products = lock_products(session, product_ids)
        sums = _sums(session, sorted(products))
        for key, product in products.items():
            found = Correction(str(product), sums.get(key, 0), product.stock)
            delta = found.stock - found.ledger
            if delta == 0:
                continue
            moves = [Move(key, delta, reason=cleaned)]
            log(session, actor, MovementKind.ADJUST, moves, {key: product.stock})
            details = {"ledger": found.ledger, "stock": found.stock}
            audit.record(
                session, actor, "stock.reconcile", product, reason=cleaned, details=details
            )
            corrections.append(found)
    return corrections


def _sums(session: Session, product_ids: Collection[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(StockMovement.product_id, sa.func.sum(StockMovement.delta))
        .where(StockMovement.product_id.in_(product_ids))
        .group_by(StockMovement.product_id)
    )
    return {row[0]: int(row[1]) for row in rows}
