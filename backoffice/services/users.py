"""Accounts: making them, their passwords, and signing in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from backoffice.access import Actor, Permission, Role
from backoffice.db import transaction, utc_now
from backoffice.errors import InputError, NotFoundError, RuleViolationError
from backoffice.models import LoginSession, User
from backoffice.services import audit
from backoffice.services.bulk_actions import Chunk, Options, Sealed, SetValue
from backoffice.services.locks import lock_row, lock_user_and_admins
from backoffice.services.login_sessions import end_all

HASH_METHOD = "scrypt"
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
_USERNAME = re.compile(r"[a-z0-9._@+-]{1,150}")


def create_user(actor: Actor, *, username: str, email: str, role: Role, password: str) -> User:
    """Make an account; raise InputError for unusable values, RuleViolationError for taken ones."""
    actor.require(Permission.USER_WRITE)
    username, email = _clean_username(username), clean_email(email)
    user = User(username=username, email=email, role=role)
    user.password_hash = _hash(password, username, email)
    try:
        with transaction() as session:
            session.add(user)
            changes = audit.differences(session, user)
            session.flush()
            audit.record(session, actor, "user.create", user, changes=changes)
    except IntegrityError as error:
        raise RuleViolationError("This user name or e-mail address is taken already.") from error
    return user


def set_password(actor: Actor, user_id: int, *, password: str) -> User:
    """Give the account a new password and end all its sessions."""
    actor.require(Permission.USER_WRITE)
    with transaction() as session:
        user = lock_row(session, User, user_id)
        user.password_hash = _hash(password, user.username, user.email)
        user.session_version += 1
        changes = audit.differences(session, user)
        audit.record(session, actor, "user.set_password", user, changes=changes)
        end_all(session, user.id)
    return user


def set_active(actor: Actor, user_id: int, *, is_active: bool) -> User:
    """Let the account sign in, or no longer; deactivating ends all its sessions.

    Raises RuleViolationError for the actor's own account and for the last active administrator.
    """
    actor.require(Permission.USER_WRITE)
    if actor.user_id == user_id and not is_active:
        raise RuleViolationError("You cannot deactivate your own account.")
    with transaction() as session:
        user, admins = lock_user_and_admins(session, user_id)
        if user.is_active is is_active:
            return user
        if not is_active and admins == [user]:
            raise RuleViolationError("This is the last active administrator.")
        user.is_active = is_active
        if not is_active:
            user.session_version += 1
        changes = audit.differences(session, user)
        verb = "activate" if is_active else "deactivate"
        audit.record(session, actor, f"user.{verb}", user, changes=changes)
        if not is_active:
            end_all(session, user.id)
    return user


@dataclass(frozen=True, kw_only=True)
class DeactivateMany(SetValue):
    """Lets accounts sign in no longer and ends their sessions; administrators go one by one."""

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the flag now and then, and whom it is not for."""
        sealed = super().seal(actor, options)
        blocked = sa.case(
            (User.id == sa.literal(actor.user_id, sa.BigInteger), "This is your own account."),
            (User.role == Role.ADMIN, "Deactivate administrators one by one."),
        )
        return replace(sealed, blocked=blocked)

    def along(self, chunk: Chunk) -> dict[str, Any]:
        """Make every cookie of theirs worthless."""
        return {} if chunk.is_undo else {"session_version": User.session_version + 1}

    def afterwards(self, chunk: Chunk) -> None:
        """End their sessions."""
        if not chunk.is_undo:
            is_open = sa.and_(LoginSession.user_id.in_(chunk.keys), LoginSession.ended_at.is_(None))
            chunk.run(sa.update(LoginSession).where(is_open).values(ended_at=utc_now()))


def sign_out_everywhere(actor: Actor, user_id: int) -> User:
    """End all sessions of the account; everybody may end their own."""
    if actor.user_id != user_id:
        actor.require(Permission.USER_WRITE)
    with transaction() as session:
        user = lock_row(session, User, user_id)
        user.session_version += 1
        changes = audit.differences(session, user)
        audit.record(session, actor, "user.sign_out_everywhere", user, changes=changes)
        end_all(session, user.id)
    return user


def find_user(session: Session, username: str) -> User:
    """Return the account of that name; raise NotFoundError without one."""
    user = _lookup(session, username)
    if user is None:
        raise NotFoundError(f"There is no user {username!r}.")
    return user


def authenticate(session: Session, username: str, password: str) -> User | None:
    """Return the member of staff whose name and password these are, else None.

    Every refusal costs one check of a password hash, so that the time taken does not tell
    whether the name exists, has a password, is active or belongs to staff.
    """
    # Made before the look-up: whoever pays for making it, pays whatever the name.
    stand_in = _stand_in_hash()
    user = _lookup(session, username)
    may_sign_in = user is not None and user.is_active and user.role.is_staff
    known = user.password_hash if user is not None and may_sign_in else None
    matches = check_password_hash(known or stand_in, _normal(password)[:LONGEST_PASSWORD])
    return user if matches and known and len(password) <= LONGEST_PASSWORD else None


def _lookup(session: Session, username: str) -> User | None:
    name = username.strip().lower()
    if not _USERNAME.fullmatch(name):
        return None
    return session.scalar(sa.select(User).where(User.username == name))


def _clean_username(text: str) -> str:
    name = text.strip().lower()
    if not _USERNAME.fullmatch(name):
        raise InputError(
            "A user name has 1 to 150 characters: letters a to z, digits and any of . _ @ + -"
        )
    return name


def clean_email(text: str) -> str:
    """Return the address in the one spelling that is kept; raise InputError if it is none."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        sentence = f"This is not an e-mail address that can be used: {error}"
        raise InputError(sentence, field="email") from None


def _hash(password: str, username: str, email: str | None) -> str:
    """Return the hash of a password that keeps the rules; raise InputError for any other."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} characters.")
    if password.strip().lower() in (username, email):
        raise InputError("The password must not be the user name or the e-mail address.")
    return generate_password_hash(_normal(password), method=HASH_METHOD)


def _normal(password: str) -> str:
    """Return one spelling of what different keyboards send for the same characters."""
    readable = password.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", readable)


@cache
def _stand_in_hash() -> str:
    return generate_password_hash("nobody has this password", method=HASH_METHOD)
