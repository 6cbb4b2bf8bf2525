"""Where members of staff are signed in: beginning, seeing and ending sessions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, staff_actor
from backoffice.db import transaction, utc_now
from backoffice.errors import NotFoundError
from backoffice.models import LoginSession, User
from backoffice.services import audit

SEEN_EVERY = timedelta(minutes=5)
KEPT_FOR = timedelta(days=90)


def token_hash(token: str) -> str:
    """Return what is stored of a token: whoever reads the table cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Begun:
    """A session that has just begun; the token is nowhere else."""

    id: int
    token: str


def begin_session(user: User, *, address: str | None, user_agent: str | None) -> Begun:
    """Begin a session of a member of staff who has just proved who they are.

    The account's `version` and `updated_at` stay, or signing in would make a colleague's open
    form stale.
    """
    token, actor = secrets.token_urlsafe(32), staff_actor(user.id, user.username, user.role)
    values = {"last_login_at": utc_now(), "updated_at": User.updated_at}
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == actor.user_id).values(values))
        _prune(session, user.id)
        row = LoginSession(
            user_id=user.id,
            token_hash=token_hash(token),
            address=(address or "")[:45] or None,
            user_agent=(user_agent or "").replace("\0", "")[:300] or None,
        )
        session.add(row)
        session.flush()
        begun = Begun(row.id, token)
        audit.record(session, actor, "user.login", user)
    return begun


def open_sessions(session: Session, user_id: int) -> list[LoginSession]:
    """Return where a person is signed in, last used first."""
    found = session.scalars(
        sa.select(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
        .limit(100)
    )
    return list(found)


def is_due(last_seen_at: datetime) -> bool:
    """Whether a session was last noted so long ago that it is noted again."""
    return utc_now() - last_seen_at >= SEEN_EVERY


def note_use(session_id: int) -> None:
    """Note that a session is in use; no change set, because nobody has changed anything."""
    seen = sa.update(LoginSession).where(LoginSession.id == session_id)
    with transaction() as session:
        session.execute(seen.values(last_seen_at=utc_now()))


def end_session(actor: Actor, session_id: int, *, action: str = "user.end_session") -> None:
    """End one of the actor's own sessions; raise NotFoundError for any other."""
    with transaction() as session:
        ended = session.scalar(
            sa.update(LoginSession)
            .where(LoginSession.id == session_id, LoginSession.user_id == actor.user_id)
            .where(LoginSession.ended_at.is_(None))
            .values(ended_at=utc_now())
            .returning(LoginSession.id)
        )
        if ended is None:
            raise NotFoundError("There is no such session, or it has ended already.")
        user = session.get_one(User, actor.user_id)
        audit.record(session, actor, action, user, details={"session": session_id})


def end_all(session: Session, user_id: int) -> None:
    """End every session of an account; joins the caller's transaction."""
    session.execute(
        sa.update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        .values(ended_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _prune(session: Session, user_id: int) -> None:
    """Forget the person's sessions that have ended or are out of use; joins the caller."""
    gone = sa.or_(
        LoginSession.ended_at.is_not(None), LoginSession.last_seen_at < utc_now() - KEPT_FOR
    )
    session.execute(
        sa.delete(LoginSession)
        .where(LoginSession.user_id == user_id, gone)
        .execution_options(synchronize_session=False)
    )
