"""`flask seed-db`: reference data and a small demo shop, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import transaction
from backoffice.errors import RuleViolationError
from backoffice.seeding import guards
from backoffice.seeding.demo import write_demo_shop
from backoffice.seeding.plan import Plan
from backoffice.seeding.reference import Reference
from backoffice.seeding.tables import Loader


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows a run made and found in their place, by table."""

    created: dict[str, int]
    unchanged: dict[str, int]


def seed_shop(
    actor: Actor, plan: Plan, *, environment: str, add_to_existing: bool = False
) -> Outcome:
    """Add what is missing of the reference data and, once, the demo shop of the plan.

    Raises RuleViolationError, having changed nothing, outside development and testing, beside
    rows that no seed run made, and beside the demo shop of another plan.
    """
    guards.require_environment(environment)
    with transaction() as session:
        loader = Loader(session)
        reference = Reference(session, loader, plan.moment(plan.first_day, time()))
        unchanged = reference.unchanged
        is_here = _has_this_shop(session, plan)
        if is_here:
            unchanged = guards.count_own(session) | unchanged
        if is_here and not reference.is_incomplete:
            return Outcome({}, unchanged)
        guards.require_no_foreign_rows(session, add_to_existing=add_to_existing)
        reference.write(loader)
        if not is_here:
            write_demo_shop(session, loader, plan, reference)
        loader.finish()
        guards.record_run(session, actor, guards.SEED_DB, loader, {"plan": plan.told()})
    return Outcome(loader.counts, unchanged)


def _has_this_shop(session: Session, plan: Plan) -> bool:
    """Whether an earlier run made this very shop; raise RuleViolationError for another one."""
    plans = [details.get("plan", {}) for details in guards.runs(session, guards.SEED_DB)]
    for other in plans:
        if other != plan.told():
            raise RuleViolationError(
                f"This database already holds the demo shop of --seed {other.get('seed')} "
                f"--as-of {other.get('as_of')}{_hint(plan, other)}. Nothing was changed. "
                "A database takes one demo shop; start with an empty one for another."
            )
    return bool(plans)


def _hint(plan: Plan, other: dict[str, object]) -> str:
    """Name what else differs, when seed and day do not."""
    names = [name for name, value in plan.told().items() if other.get(name) != value]
    if "seed" in names or "as_of" in names:
        return ""
    return f", made with another {', '.join(names)}"
