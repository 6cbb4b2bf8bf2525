"""Changing many records by a sealed plan: frozen first, then done exactly so, once, in chunks.

Each chunk is a transaction of its own, so that whoever is stopped in the middle goes on where the
last one ended. A plan row is written together with its record: none is done twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Source
from backoffice.db import transaction, utc_now
from backoffice.errors import InputError, RuleViolationError
from backoffice.models import BulkPlan, BulkPlanRow, PlanState, RowOutcome
from backoffice.services import audit
from backoffice.services.bulk_actions import BulkAction, Chunk, Options, insert_into
from backoffice.services.locks import lock_row, lock_rows

MOST_ROWS = 100_000
CHUNK = 1000
SECONDS = 20.0
LONGEST_REASON = 500
VALID_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=7)

Row = BulkPlanRow
_COLUMNS = (
    "plan_id", "record_id", "record_label", "version",
    "before", "after", "before_key", "after_key", "outcome", "note",
)  # fmt: skip
_GONE = "It is no longer there."
_MOVED = "Somebody else has changed it since."


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a list: its statement, within the scope of who asks, and its question."""

    rows: sa.Select[Any]
    label: Any
    query: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of a plan have an outcome, and the note that they share."""

    outcome: RowOutcome
    note: str | None
    number: int


def seal_plan(actor: Actor, action: BulkAction, chosen: Selection, options: Options) -> int:
    """Freeze what the action would do to the chosen records; return the id of the plan.

    Raises InputError when nothing or too much is chosen; then there is no plan.
    """
    actor.require(action.permission)
    with transaction() as session:
        _forget_old(session)
        action.require(session, options)
        plan = BulkPlan(
            actor_id=actor.user_id,
            actor_name=actor.name,
            table_name=action.model.__tablename__,
            action=action.name,
            options=options,
            query=chosen.query,
        )
        session.add(plan)
        session.flush()
        session.execute(_freeze(plan.id, actor, action, chosen, options))
        count = sum(tally.number for tally in tally_rows(session, plan.id))
        if not count:
            raise InputError("Nothing is chosen. Tick rows of the list, or take all that match.")
        if count > MOST_ROWS:
            raise InputError(f"More than {MOST_ROWS:,} rows are chosen. Narrow the list first.")
        return plan.id


def _freeze(
    plan_id: int, actor: Actor, action: BulkAction, chosen: Selection, options: Options
) -> sa.Insert:
    """Return the INSERT … SELECT of the rows, in the order in which they will be locked."""
    model, sealed = action.model, action.seal(actor, options)
    found = chosen.rows.with_only_columns(
        model.id.label("record_id"),
        chosen.label.label("record_label"),
        model.version.label("version"),
        sealed.before.label("before"),
        sealed.after.label("after"),
        sealed.before_key.label("before_key"),
        sealed.after_key.label("after_key"),
        sealed.blocked.label("blocked"),
        sealed.warning.label("warning"),
        maintain_column_froms=True,
    )
    one = found.order_by(None).order_by(model.id).limit(MOST_ROWS + 1).subquery("one")
    is_same = sa.and_(
        one.c.before.is_not_distinct_from(one.c.after),
        one.c.before_key.is_not_distinct_from(one.c.after_key),
    )
    kind = Row.outcome.type
    outcome = sa.case(
        (one.c.blocked.is_not(None), sa.literal(RowOutcome.BLOCKED, kind)),
        (is_same, sa.literal(RowOutcome.UNCHANGED, kind)),
        else_=sa.literal(RowOutcome.PLANNED, kind),
    )
    warning = sa.case((~is_same, one.c.warning))
    rows = sa.select(
        sa.literal(plan_id),
        one.c.record_id,
        sa.func.substr(one.c.record_label, 1, 300),
        one.c.version,
        one.c.before,
        one.c.after,
        sa.cast(one.c.before_key, sa.BigInteger),
        sa.cast(one.c.after_key, sa.BigInteger),
        outcome,
        sa.func.coalesce(one.c.blocked, warning),
    )
    return insert_into("bulk_plan_rows", list(_COLUMNS), rows.order_by(one.c.record_id))


def _forget_old(session: Session) -> None:
    """Delete plans that nobody has carried out."""
    old = sa.and_(BulkPlan.started_at.is_(None), BulkPlan.created_at < utc_now() - KEPT_FOR)
    session.execute(sa.delete(BulkPlan).where(old).execution_options(synchronize_session=False))


def tally_rows(session: Session, plan_id: int) -> list[Tally]:
    """Return how many rows of a plan have which outcome, and why: one statement."""
    number = sa.func.count()
    found = session.execute(
        sa.select(Row.outcome, Row.note, number)
        .where(Row.plan_id == plan_id)
        .group_by(Row.outcome, Row.note)
        .order_by(number.desc())
    )
    return [Tally(*row) for row in found]


def apply_plan(
    actor: Actor, plan_id: int, action: BulkAction, scope: sa.Select[Any], *, reason: str | None
) -> None:
    """Carry a plan out, or go on with one that was stopped, for at most `SECONDS`.

    What changed since it was sealed, is gone, or left the scope of who acts, is left alone.
    Raises RuleViolationError for a plan that is done, undone or too old, and InputError for a
    reason that is missing or too long.
    """
    actor.require(action.permission)
    if reason and len(reason) > LONGEST_REASON:
        raise InputError(f"Say why in {LONGEST_REASON} characters at most. Nothing was changed.")

    def step(session: Session, plan: BulkPlan) -> bool:
        _require_applicable(plan)
        if plan.started_at is None:
            if action.wants_reason and not reason:
                raise InputError("Say why, for the change log. Nothing was changed.")
            action.require(session, plan.options)
            plan.reason, plan.started_at = reason, utc_now()
            plan.change_set_id = _change_set(session, actor, action, plan, action.name)
        chunk = _next_chunk(session, actor, action, plan, is_undo=False)
        if chunk is None:
            plan.finished_at = utc_now()
            return False
        lock_rows(session, action.model, chunk.keys)
        _leave_alone(chunk, action, scope)
        action.log(chunk)
        action.write(chunk)
        _settle(chunk, RowOutcome.DONE)
        return True

    _run(plan_id, step)


def undo_plan(actor: Actor, plan_id: int, action: BulkAction, scope: sa.Select[Any]) -> None:
    """Give back to each record what the plan took from it, unless it has changed again since.

    Raises RuleViolationError for a plan that was not carried out, or cannot be undone.
    """
    actor.require(action.permission)

    def step(session: Session, plan: BulkPlan) -> bool:
        if not action.can_be_undone or plan.state in (PlanState.SEALED, PlanState.UNDONE):
            raise RuleViolationError("There is nothing to undo.")
        if plan.undo_started_at is None:
            plan.undo_started_at = utc_now()
            plan.undo_change_set_id = _change_set(session, actor, action, plan, "undo")
        chunk = _next_chunk(session, actor, action, plan, is_undo=True)
        if chunk is None:
            plan.undone_at = utc_now()
            return False
        lock_rows(session, action.model, chunk.keys)
        _keep(chunk, action, scope)
        action.log(chunk)
        action.write(chunk)
        _settle(chunk, RowOutcome.REVERTED)
        return True

    _run(plan_id, step)


def _run(plan_id: int, step: Callable[[Session, BulkPlan], bool]) -> None:
    """Take steps, each in its own transaction and with the plan locked, until none is left."""
    until = time.monotonic() + SECONDS
    is_more = True
    while is_more and time.monotonic() < until:
        with transaction() as session:
            is_more = step(session, lock_row(session, BulkPlan, plan_id))


def _require_applicable(plan: BulkPlan) -> None:
    if plan.state not in (PlanState.SEALED, PlanState.APPLYING):
        raise RuleViolationError("This plan has been carried out already. It runs only once.")
    if plan.started_at is None and is_expired(plan):
        raise RuleViolationError("This plan is more than a day old. Make a new one.")


def is_expired(plan: BulkPlan) -> bool:
    """Whether a plan has waited for too long to be begun."""
    return utc_now() - plan.created_at > VALID_FOR


def _change_set(
    session: Session, actor: Actor, action: BulkAction, plan: BulkPlan, verb: str
) -> int:
    """Open the one change set of a plan, or of its undoing."""
    made = audit.record(
        session,
        replace(actor, source=Source.BULK),
        f"{action.model.__name__.lower()}.{verb}",
        reason=plan.reason if verb != "undo" else f"undo of plan {plan.id}",
        details={"plan": plan.id},
    )
    made.table_name = action.model.__tablename__
    made.record_label = str(plan)
    session.flush()
    return made.id


def _next_chunk(
    session: Session, actor: Actor, action: BulkAction, plan: BulkPlan, *, is_undo: bool
) -> Chunk | None:
    """Return the next rows that wait to be written, None when there are none."""
    waiting = RowOutcome.DONE if is_undo else RowOutcome.PLANNED
    mine = sa.and_(Row.plan_id == plan.id, Row.outcome == waiting)
    some = sa.select(Row.id).where(mine).order_by(Row.id).limit(action.at_once or CHUNK).subquery()
    first, last = session.execute(sa.select(sa.func.min(some.c.id), sa.func.max(some.c.id))).one()
    if first is None:
        return None
    made = plan.undo_change_set_id if is_undo else plan.change_set_id
    rows = sa.and_(mine, Row.id.between(first, last))
    return Chunk(session, actor, plan, made or 0, rows, is_undo)


def _leave_alone(chunk: Chunk, action: BulkAction, scope: sa.Select[Any]) -> None:
    """Set aside the rows whose record is another by now, or may no longer be changed."""
    model = action.model
    there = _is_there(scope, model)
    same = _is_there(scope.where(model.version == Row.version), model)
    note = sa.case((there, _MOVED), else_=_GONE)
    _mark(chunk, ~same, RowOutcome.MOVED, note)
    blocked = action.seal(chunk.actor, chunk.plan.options).blocked
    reason = sa.select(blocked).where(model.id == Row.record_id).correlate(Row).scalar_subquery()
    _mark(chunk, reason.is_not(None), RowOutcome.BLOCKED, reason)


def _keep(chunk: Chunk, action: BulkAction, scope: sa.Select[Any]) -> None:
    """Set aside the rows that cannot be undone, and those that somebody has changed again."""
    model, options = action.model, chunk.plan.options
    _mark(chunk, ~_is_there(scope, model), RowOutcome.STUCK, sa.literal(_GONE))
    stands = _is_there(scope.where(action.stands(options)), model)
    _mark(chunk, ~stands, RowOutcome.KEPT, sa.literal(_MOVED))
    stuck = action.stuck(options)
    _mark(chunk, stuck.is_not(None), RowOutcome.STUCK, stuck)


def _is_there(scope: sa.Select[Any], model: Any) -> Any:
    """Return SQL: whether the record of a row is among those in scope."""
    found = scope.with_only_columns(sa.literal(1), maintain_column_froms=True)
    return found.where(model.id == Row.record_id).correlate(Row).exists()


def _mark(chunk: Chunk, condition: Any, outcome: RowOutcome, note: Any) -> None:
    chunk.run(sa.update(Row).where(chunk.rows, condition).values(outcome=outcome, note=note))


def _settle(chunk: Chunk, outcome: RowOutcome) -> None:
    """Note that all rows of the chunk that are left have been written."""
    chunk.run(sa.update(Row).where(chunk.rows).values(outcome=outcome))
