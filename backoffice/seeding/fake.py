"""`flask seed-fake`: any number of customers with profiles, beside what is there."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from backoffice.access import Actor
from backoffice.db import transaction
from backoffice.seeding import guards
from backoffice.seeding.people import People, account_rows, taken_addresses
from backoffice.seeding.plan import Plan
from backoffice.seeding.tables import Loader

BATCH = 5_000


def seed_fake_users(
    actor: Actor, plan: Plan, count: int, *, environment: str, add_to_existing: bool = False
) -> dict[str, int]:
    """Add so many customers with profiles and return the number of rows by table.

    The rows follow from the plan and from the id of the first: another run continues after it.
    Raises RuleViolationError, having changed nothing, where seed_shop() does.
    """
    guards.require_environment(environment)
    with transaction() as session:
        guards.require_no_foreign_rows(session, add_to_existing=add_to_existing)
        loader = Loader(session)
        first = loader.peek_id("users")
        rng = plan.stream(f"fake.{first}")
        people = People(rng, plan.abroad_share, taken_addresses(session))
        moments = _moments(plan, sorted(rng.random() for _ in range(count)))
        for start in range(0, count, BATCH):
            _write(loader, people, moments[start : start + BATCH])
        loader.finish()
        details = {"seed": plan.seed, "as_of": plan.as_of.isoformat()}
        guards.record_run(session, actor, guards.SEED_FAKE, loader, details)
    return loader.counts


def _moments(plan: Plan, shares: list[float]) -> list[datetime]:
    opening = plan.moment(plan.first_day, time())
    seconds = int((plan.now - opening).total_seconds())
    return [opening + timedelta(seconds=int(share * seconds)) for share in shares]


def _write(loader: Loader, people: People, moments: list[datetime]) -> None:
    users, profiles = [], []
    for since in moments:
        user_id = loader.next_id("users")
        person = people.person(user_id)
        user, profile = account_rows(people, person, user_id, loader.next_id("profiles"), since)
        users.append(user)
        profiles.append(profile)
    loader.write("users", users)
    loader.write("profiles", profiles)
