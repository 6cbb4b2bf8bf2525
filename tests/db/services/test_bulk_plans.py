"""Sealed plans under stress: a killed process, two people at once, the number of statements."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission, Role, Source, staff_actor
from backoffice.db import db
from backoffice.errors import InputError, PermissionDeniedError, RuleViolationError
from backoffice.models import BulkPlan, BulkPlanRow, Change, ChangeSet, Product, RowOutcome
from backoffice.services import bulk_plans
from backoffice.services.bulk_actions import BulkAction, SetValue
from backoffice.services.bulk_plans import Selection, apply_plan, seal_plan, undo_plan
from tests.factories import count, make_user

EVERYTHING = sa.select(Product)
ROOT = Path(__file__).resolve().parents[3]
UNPUBLISH = SetValue(
    name="unpublish",
    label="Take off sale",
    model=Product,
    permission=Permission.CATALOGUE_WRITE,
    column=Product.is_available,
    value=False,
)
# Carries a plan out in chunks of three, and is killed within the second, before its commit.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from backoffice.access import command_actor
from backoffice.app import create_app
from backoffice.models import Product
from backoffice.services import bulk_plans
from config import TestingConfig
from tests.db.services.test_bulk_plans import UNPUBLISH

bulk_plans.CHUNK = 3
settle, settled = bulk_plans._settle, []

def settle_once(chunk, outcome):
    settle(chunk, outcome)
    settled.append(chunk)
    if len(settled) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

bulk_plans._settle = settle_once
with create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=sys.argv[1])).app_context():
    work = getattr(bulk_plans, sys.argv[2])
    options = {"reason": "killed"} if sys.argv[2] == "apply_plan" else {}
    work(command_actor("tester"), int(sys.argv[3]), UNPUBLISH, sa.select(Product), **options)
"""


@pytest.fixture
def actor(committed: Session) -> Actor:
    user = make_user(committed, Role.MANAGER)
    return staff_actor(user.id, user.username, Role.MANAGER)


def make_products(session: Session, number: int) -> None:
    rows = [{"sku": f"P{n:06}", "name": "Mug", "price": 10, "version": 1} for n in range(number)]
    session.execute(sa.insert(Product), rows)
    session.commit()


def seal(actor: Actor, action: BulkAction = UNPUBLISH) -> int:
    return seal_plan(actor, action, Selection(EVERYTHING, Product.sku, ""), {})


def outcomes(session: Session) -> dict[str, int]:
    session.rollback()
    return dict(Counter(row.value for row in session.scalars(sa.select(BulkPlanRow.outcome))))


def versions(session: Session) -> set[int]:
    session.rollback()
    return set(session.scalars(sa.select(Product.version)))


def kill_during(url: str, work: str, plan_id: int) -> None:
    """Let another process do the work and be killed in the middle."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url, work, str(plan_id)],
        cwd=ROOT, env=os.environ | {"APP_ENV": "testing"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_plan_that_was_killed_goes_on_where_it_ended_and_does_nothing_twice(
    committed: Session, actor: Actor, database_url: str
) -> None:
    make_products(committed, 8)
    plan_id = seal(actor)
    committed.rollback()

    kill_during(database_url, "apply_plan", plan_id)

    assert outcomes(committed) == {"done": 3, "planned": 5}
    assert count(committed, Change) == 3
    apply_plan(actor, plan_id, UNPUBLISH, EVERYTHING, reason=None)
    assert outcomes(committed) == {"done": 8}
    assert versions(committed) == {2}
    made = committed.scalars(sa.select(ChangeSet)).one()
    assert (made.source, made.reason) == (Source.BULK, "killed")
    assert len(made.changes) == 8
    plan = committed.get_one(BulkPlan, plan_id)
    assert plan.finished_at is not None

    committed.rollback()
    kill_during(database_url, "undo_plan", plan_id)

    assert outcomes(committed) == {"done": 5, "reverted": 3}
    with pytest.raises(RuleViolationError, match="runs only once"):
        apply_plan(actor, plan_id, UNPUBLISH, EVERYTHING, reason=None)
    undo_plan(actor, plan_id, UNPUBLISH, EVERYTHING)
    assert outcomes(committed) == {"reverted": 8}
    assert versions(committed) == {3}
    assert count(committed, Change) == 16
    assert set(committed.scalars(sa.select(Product.is_available))) == {True}


def test_a_plan_that_was_stopped_can_be_undone_as_far_as_it_came(
    committed: Session, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_products(committed, 5)
    plan_id = seal(actor)
    monkeypatch.setattr(bulk_plans, "CHUNK", 2)
    monkeypatch.setattr(bulk_plans, "SECONDS", 0.0)
    with monkeypatch.context() as patch:
        moments = iter([0.0, 0.0, 1.0])
        patch.setattr("backoffice.services.bulk_plans.time.monotonic", lambda: next(moments))
        patch.setattr(bulk_plans, "SECONDS", 0.5)
        apply_plan(actor, plan_id, UNPUBLISH, EVERYTHING, reason=None)
    assert outcomes(committed) == {"done": 2, "planned": 3}

    monkeypatch.setattr(bulk_plans, "SECONDS", 20.0)
    undo_plan(actor, plan_id, UNPUBLISH, EVERYTHING)

    assert outcomes(committed) == {"reverted": 2, "planned": 3}
    assert set(committed.scalars(sa.select(Product.is_available))) == {True}


def test_two_people_at_once_do_each_row_once(
    committed: Session, actor: Actor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_plans, "CHUNK", 3)
    make_products(committed, 30)
    plan_id = seal(actor)
    committed.rollback()

    def work() -> str:
        with app.app_context():
            try:
                apply_plan(actor, plan_id, UNPUBLISH, EVERYTHING, reason=None)
            except RuleViolationError as error:
                return str(error)
            finally:
                db.session.remove()
            return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result() for future in [pool.submit(work), pool.submit(work)]]

    assert "done" in answers
    assert set(answers) <= {"done", "This plan has been carried out already. It runs only once."}
    assert outcomes(committed) == {"done": 30}
    assert versions(committed) == {2}
    assert (count(committed, Change), count(committed, ChangeSet)) == (30, 1)


def test_statements_grow_with_chunks_and_not_with_rows(
    committed: Session, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_plans, "CHUNK", 100)
    seen: list[str] = []

    def note(_c: object, _cursor: object, sql: str, *_rest: object) -> None:
        seen.append(sql)

    make_products(committed, 300)
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        plan_id = seal(actor)
        sealing = len(seen)
        seen.clear()
        apply_plan(actor, plan_id, UNPUBLISH, EVERYTHING, reason=None)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert outcomes(committed) == {"done": 300}
    assert sealing <= 6
    assert len([sql for sql in seen if "INTO change_sets" in sql]) == 1
    assert len([sql for sql in seen if "INTO changes" in sql]) == 3
    assert len(seen) <= 4 * 11


def test_nobody_acts_on_what_left_their_scope(committed: Session, actor: Actor) -> None:
    make_products(committed, 3)
    plan_id = seal(actor)
    mine = EVERYTHING.where(Product.sku != "P000001")

    apply_plan(actor, plan_id, UNPUBLISH, mine, reason=None)

    rows = committed.execute(
        sa.select(BulkPlanRow.record_label, BulkPlanRow.outcome).order_by(BulkPlanRow.id)
    )
    assert [tuple(row) for row in rows] == [
        ("P000000", RowOutcome.DONE), ("P000001", RowOutcome.MOVED), ("P000002", RowOutcome.DONE)
    ]  # fmt: skip
    left = committed.scalars(sa.select(Product).where(Product.is_available)).one()
    assert (left.sku, left.version) == ("P000001", 1)
    undo_plan(actor, plan_id, UNPUBLISH, EVERYTHING.where(Product.sku == "P000000"))
    assert outcomes(committed) == {"reverted": 1, "moved on": 1, "stuck": 1}


def test_a_plan_is_only_for_those_who_may(committed: Session, actor: Actor) -> None:
    make_products(committed, 1)
    plan_id = seal(actor)
    other = staff_actor(actor.user_id or 0, "analyst", Role.ANALYST)

    for work in (
        lambda: seal(other),
        lambda: apply_plan(other, plan_id, UNPUBLISH, EVERYTHING, reason=None),
        lambda: undo_plan(other, plan_id, UNPUBLISH, EVERYTHING),
    ):
        with pytest.raises(PermissionDeniedError):
            work()

    assert (versions(committed), count(committed, BulkPlan)) == ({1}, 1)


def test_a_plan_has_a_most(
    committed: Session, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_plans, "MOST_ROWS", 2)
    make_products(committed, 3)

    with pytest.raises(InputError, match="More than 2 rows are chosen"):
        seal(actor)

    assert (count(committed, BulkPlan), count(committed, BulkPlanRow)) == (0, 0)
