"""`seed_fake_users`: customers with profiles, unlike any before, again and again."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.errors import RuleViolationError
from backoffice.models import ChangeSet, Profile, User
from backoffice.seeding.fake import seed_fake_users
from backoffice.seeding.plan import Plan
from tests.factories import count, make_user


def _seed(actor: Actor, plan: Plan, number: int, **options: Any) -> dict[str, int]:
    return seed_fake_users(actor, plan, number, **({"environment": "testing"} | options))


def _names(session: Session) -> list[str]:
    return list(session.scalars(sa.select(User.username).order_by(User.id)))


def test_it_makes_customers_with_profiles(session: Session, shell: Actor, plan: Plan) -> None:
    assert _seed(shell, plan, 50) == {"users": 50, "profiles": 50}

    for user in session.scalars(sa.select(User)):
        assert (user.role, user.password_hash) == (Role.CUSTOMER, None)
        assert user.email == f"{user.username}@example.com"
        assert user.profile is not None
        assert user.profile.full_name.split()[0].lower()[0] == user.username[0]
        assert plan.first_day <= plan.local_day(user.created_at) < plan.as_of
    assert session.scalars(sa.select(ChangeSet.action)).one() == "seed.fake"


def test_further_runs_continue(session: Session, shell: Actor, plan: Plan) -> None:
    for _run in range(3):
        _seed(shell, plan, 40)

    assert len(set(_names(session))) == count(session, Profile) == 120


def test_the_same_seed_and_start_give_the_same_people(
    session: Session, shell: Actor, plan: Plan
) -> None:
    _seed(shell, plan, 40)
    first = _names(session)
    session.execute(sa.delete(Profile))
    session.execute(sa.delete(User))
    session.commit()

    _seed(shell, plan, 40)

    assert _names(session) == first


def test_it_refuses_beside_rows_that_no_seed_run_made(
    session: Session, shell: Actor, plan: Plan
) -> None:
    make_user(session)

    with pytest.raises(RuleViolationError, match=r"users 1\. .*--add-to-existing"):
        _seed(shell, plan, 5)
    assert count(session, User) == 1
    assert count(session, ChangeSet) == 0

    _seed(shell, plan, 5, add_to_existing=True)
    assert count(session, User) == 6


def test_it_refuses_every_other_environment(session: Session, shell: Actor, plan: Plan) -> None:
    with pytest.raises(RuleViolationError, match="for development and testing"):
        _seed(shell, plan, 5, environment="production", add_to_existing=True)

    assert count(session, User) == count(session, ChangeSet) == 0
