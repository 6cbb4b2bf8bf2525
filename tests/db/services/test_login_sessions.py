"""Sessions: what is kept of them, who ends them, and when they are forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role, staff_actor
from backoffice.db import utc_now
from backoffice.errors import NotFoundError
from backoffice.models import ChangeSet, LoginSession, User
from backoffice.services import users
from backoffice.services.login_sessions import begin_session, end_session, open_sessions, token_hash
from tests.factories import count, make_login, make_user


def begin(user: User) -> int:
    return begin_session(user, address="203.0.113.9", user_agent="Browser").id


def actor_of(user: User) -> Actor:
    return staff_actor(user.id, user.username, user.role)


def test_the_token_itself_is_not_kept(session: Session) -> None:
    user = make_user(session, Role.SUPPORT)

    begun = begin_session(user, address="203.0.113.9", user_agent="Mozilla/5.0\0" + "x" * 400)

    row = session.scalars(sa.select(LoginSession)).one()
    assert (row.id, row.user_id, row.token_hash) == (begun.id, user.id, token_hash(begun.token))
    assert (row.address, row.ended_at) == ("203.0.113.9", None)
    assert row.user_agent == "Mozilla/5.0" + "x" * 289
    assert len(begun.token) == 43


def test_an_ended_session_is_no_longer_listed(session: Session) -> None:
    user = make_user(session, Role.SUPPORT)
    first, second = begin(user), begin(user)

    end_session(actor_of(user), first)

    assert [row.id for row in open_sessions(session, user.id)] == [second]
    last = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert last is not None
    assert (last.action, last.record_id, last.details) == (
        "user.end_session",
        user.id,
        {"session": first},
    )


def test_nobody_ends_the_session_of_another(session: Session) -> None:
    victim, admin = make_user(session, Role.SUPPORT), make_user(session, Role.ADMIN)
    make_login(session, victim)
    (row,) = open_sessions(session, victim.id)

    with pytest.raises(NotFoundError):
        end_session(actor_of(admin), row.id)

    session.refresh(row)
    assert (row.ended_at, count(session, ChangeSet)) == (None, 0)


def test_a_session_ends_once(session: Session) -> None:
    user = make_user(session, Role.SUPPORT)
    only = begin(user)
    end_session(actor_of(user), only)

    with pytest.raises(NotFoundError):
        end_session(actor_of(user), only)


@pytest.mark.parametrize("how", ["sign_out_everywhere", "set_password"])
def test_all_sessions_of_the_account_end_together(session: Session, shell: Actor, how: str) -> None:
    user, other = make_user(session, Role.SUPPORT), make_user(session, Role.SUPPORT)
    for one in (user, user, other):
        make_login(session, one)

    if how == "set_password":
        users.set_password(shell, user.id, password="a new long password")
    else:
        users.sign_out_everywhere(actor_of(user), user.id)

    assert open_sessions(session, user.id) == []
    assert len(open_sessions(session, other.id)) == 1


def test_signing_in_forgets_the_old_sessions_of_that_person(session: Session) -> None:
    user, other = make_user(session, Role.SUPPORT), make_user(session, Role.SUPPORT)
    now = utc_now()
    make_login(session, user, ended_at=now)
    make_login(session, user, last_seen_at=now - timedelta(days=91))
    make_login(session, user, last_seen_at=now - timedelta(days=89))
    make_login(session, other, ended_at=now)

    begin(user)

    mine = (
        sa.select(sa.func.count()).select_from(LoginSession).where(LoginSession.user_id == user.id)
    )
    assert (session.scalar(mine), count(session, LoginSession)) == (2, 3)
