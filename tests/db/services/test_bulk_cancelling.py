"""Cancelling many orders under stress: a killed process, and two plans at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import db
from backoffice.models import Order, Product, Refund
from backoffice.services.bulk_cancelling import CancelMany
from backoffice.services.bulk_plans import Selection, apply_plan, seal_plan
from tests.db.admin.test_bulk_cancelling import require_exact
from tests.db.services.shopping import SHOP, paid_order, pending_order, stocked
from tests.db.services.test_bulk_plans import ROOT, outcomes
from tests.factories import count

EVERYTHING = sa.select(Order)
CANCEL = CancelMany(
    name="cancel",
    label="Cancel",
    model=Order,
    permission=Permission.ORDER_CANCEL,
    wants_reason=True,
    shop=lambda: SHOP,
    at_once=3,
)
# Is killed when the second chunk has been written, before its commit.
KILLED = """
import os, signal, sys
from backoffice.access import command_actor
from backoffice.app import create_app
from backoffice.services import bulk_plans
from config import TestingConfig
from tests.db.services.test_bulk_cancelling import CANCEL, EVERYTHING

settle, settled = bulk_plans._settle, []

def settle_once(chunk, outcome):
    settle(chunk, outcome)
    settled.append(chunk)
    if len(settled) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

bulk_plans._settle = settle_once
with create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=sys.argv[1])).app_context():
    actor, plan_id = command_actor("tester"), int(sys.argv[2])
    bulk_plans.apply_plan(actor, plan_id, CANCEL, EVERYTHING, reason="Recalled")
"""


def make_orders(session: Session, actor: Actor, number: int) -> list[Order]:
    """Orders of one mug and two cups each, the lines in turn this and that way round."""
    mug, cup = (stocked(session, 100, price=Decimal(price)) for price in ("10.10", "0.20"))
    lines = [(mug, 1), (cup, 2)]
    return [paid_order(session, actor, *lines[:: 1 if n % 2 else -1]) for n in range(number)]


def seal(actor: Actor, orders: sa.Select[Order] = EVERYTHING) -> int:
    return seal_plan(actor, CANCEL, Selection(orders, Order.number, ""), {})


def test_a_plan_that_was_killed_cancels_the_rest_and_none_twice(
    committed: Session, shell: Actor, database_url: str
) -> None:
    make_orders(committed, shell, 8)
    plan_id = seal(shell)
    committed.rollback()

    done = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, str(plan_id)],
        cwd=ROOT, env=os.environ | {"APP_ENV": "testing"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert outcomes(committed) == {"done": 3, "planned": 5}
    assert count(committed, Refund) == 3
    require_exact(committed)
    apply_plan(shell, plan_id, CANCEL, EVERYTHING, reason=None)
    assert outcomes(committed) == {"done": 8}
    orders = committed.scalars(EVERYTHING).all()
    assert {(order.status, order.cancel_reason) for order in orders} == {("cancelled", "Recalled")}
    assert [refund.amount for refund in committed.scalars(sa.select(Refund))] == [
        Decimal("10.50")
    ] * 8
    assert set(committed.scalars(sa.select(Product.stock))) == {100}
    require_exact(committed)


def test_two_plans_at_once_cancel_each_order_once(
    committed: Session, shell: Actor, app: Flask
) -> None:
    keys = [order.id for order in make_orders(committed, shell, 12)]
    plans = [
        seal(shell, EVERYTHING.where(Order.id.in_(some))) for some in (keys[:9], keys[3:][::-1])
    ]
    committed.rollback()

    def work(plan_id: int) -> None:
        with app.app_context():
            try:
                apply_plan(shell, plan_id, CANCEL, EVERYTHING, reason="Recalled")
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, plan_id) for plan_id in plans]:
            future.result()

    assert outcomes(committed) == {"done": 12, "moved on": 6}
    assert count(committed, Refund) == 12
    assert set(committed.scalars(sa.select(Product.stock))) == {100}
    require_exact(committed)


def test_a_person_who_may_cancel_but_not_refund_cancels_what_nobody_has_paid(
    committed: Session, shell: Actor
) -> None:
    (paid,) = make_orders(committed, shell, 1)
    waiting = pending_order(committed, shell, (paid.items[0].product, 1))
    poor = replace(shell, permissions=frozenset({Permission.ORDER_CANCEL}))

    plan_id = seal(poor)

    assert outcomes(committed) == {"blocked": 1, "planned": 1}
    apply_plan(poor, plan_id, CANCEL, EVERYTHING, reason="Recalled")
    assert outcomes(committed) == {"blocked": 1, "done": 1}
    assert (paid.status, waiting.status) == ("paid", "cancelled")
    assert count(committed, Refund) == 0
    require_exact(committed)
