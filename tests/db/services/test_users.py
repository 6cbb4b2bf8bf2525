"""Accounts, their passwords, and signing in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from backoffice.access import Actor, Role, staff_actor
from backoffice.errors import (
    InputError,
    NotFoundError,
    PermissionDeniedError,
    RuleViolationError,
)
from backoffice.models import Change, ChangeSet, LoginSession, User
from backoffice.services import users
from backoffice.services.login_sessions import begin_session
from tests.factories import PASSWORD, count, make_user

NEW_PASSWORD = "a wholly different phrase"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same method with less work, so that tests do not wait for it."""
    monkeypatch.setattr(users, "HASH_METHOD", "scrypt:1024:8:1")
    users._stand_in_hash.cache_clear()
    yield
    users._stand_in_hash.cache_clear()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were checked against."""
    seen: list[str] = []

    def watched(pwhash: str, password: str) -> bool:
        seen.append(pwhash)
        return check_password_hash(pwhash, password)

    monkeypatch.setattr(users, "check_password_hash", watched)
    return seen


def _create(actor: Actor, **values: Any) -> User:
    defaults = {
        "username": "ada",
        "email": "ada@example.com",
        "role": Role.SUPPORT,
        "password": PASSWORD,
    }
    return users.create_user(actor, **(defaults | values))


def _nothing_happened(session: Session) -> None:
    assert count(session, User) == 0
    assert count(session, ChangeSet) == 0


def test_a_new_account_can_sign_in(session: Session, shell: Actor) -> None:
    user = _create(shell, username=" Ada.L ", email="Ada@Example.COM")

    assert (user.username, user.email, user.role) == ("ada.l", "ada@example.com", Role.SUPPORT)
    assert users.authenticate(session, "ADA.L", PASSWORD) is user


def test_a_new_account_is_logged_without_its_password(session: Session, shell: Actor) -> None:
    user = _create(shell)

    change_set = session.scalars(sa.select(ChangeSet)).one()
    told = {change.field: change.new_value for change in change_set.changes}
    assert (change_set.action, change_set.record_id) == ("user.create", user.id)
    assert told["username"] == "ada"
    assert told["role"] == "support"
    assert told["password_hash"] == "•••"


def test_only_user_administration_makes_accounts(
    session: Session, actor_of: Callable[[Role], Actor]
) -> None:
    for role in Role:
        if role is not Role.ADMIN:
            with pytest.raises(PermissionDeniedError):
                _create(actor_of(role))

    _nothing_happened(session)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("username", "", "user name"),
        ("username", "ada lovelace", "user name"),
        ("username", "adä", "user name"),
        ("username", "a\x00b", "user name"),
        ("username", "a" * 151, "user name"),
        ("email", "ada", "e-mail"),
        ("email", "ada@", "e-mail"),
        ("email", "ada@example.com, eve@example.com", "e-mail"),
        ("email", f"{'a' * 250}@example.com", "e-mail"),
        ("password", "elevenchars", "12 to 1,024"),
        ("password", "x" * 1025, "12 to 1,024"),
        ("password", "ADA@example.com", "must not be"),
    ],
)
def test_an_unusable_value_makes_no_account(
    session: Session, shell: Actor, field: str, value: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _create(shell, **{field: value})

    _nothing_happened(session)


def test_a_password_must_not_be_the_user_name(session: Session, shell: Actor) -> None:
    with pytest.raises(InputError, match="must not be"):
        _create(shell, username="ada.lovelace", password="Ada.Lovelace")

    _nothing_happened(session)


@pytest.mark.parametrize("taken", [{"email": "other@example.com"}, {"username": "other"}])
def test_a_taken_name_or_address_is_refused(
    session: Session, shell: Actor, taken: dict[str, str]
) -> None:
    make_user(session, Role.ADMIN, username="ada")

    with pytest.raises(RuleViolationError, match="taken"):
        _create(shell, **taken)

    assert count(session, User) == 1
    assert count(session, ChangeSet) == 0


def test_a_new_password_replaces_the_old_and_ends_all_sessions(
    session: Session, shell: Actor
) -> None:
    user = make_user(session, Role.MANAGER)

    users.set_password(shell, user.id, password=NEW_PASSWORD)

    assert user.session_version == 2
    assert users.authenticate(session, user.username, PASSWORD) is None
    assert users.authenticate(session, user.username, NEW_PASSWORD) is user


def test_a_new_password_is_logged_but_never_told(session: Session, shell: Actor) -> None:
    user = make_user(session, Role.MANAGER)

    users.set_password(shell, user.id, password=NEW_PASSWORD)

    assert session.scalars(sa.select(ChangeSet.action)).one() == "user.set_password"
    changes = {change.field: change for change in session.scalars(sa.select(Change))}
    assert changes["password_hash"].old_value == changes["password_hash"].new_value == "•••"
    assert changes["session_version"].new_value == "2"


def test_a_refused_password_changes_nothing(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    user = make_user(session, Role.MANAGER)

    with pytest.raises(InputError):
        users.set_password(shell, user.id, password="too short")
    with pytest.raises(PermissionDeniedError):
        users.set_password(actor_of(Role.MANAGER), user.id, password=NEW_PASSWORD)
    with pytest.raises(NotFoundError, match="no such user"):
        users.set_password(shell, user.id + 1, password=NEW_PASSWORD)

    assert user.session_version == 1
    assert count(session, ChangeSet) == 0
    assert users.authenticate(session, user.username, PASSWORD) is user


def test_signing_out_everywhere_ends_all_sessions(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    user = make_user(session, Role.MANAGER)

    users.sign_out_everywhere(shell, user.id)
    with pytest.raises(PermissionDeniedError):
        users.sign_out_everywhere(actor_of(Role.SUPPORT), user.id)

    assert user.session_version == 2
    assert session.scalars(sa.select(ChangeSet.action)).one() == "user.sign_out_everywhere"


def test_everybody_may_end_their_own_sessions(session: Session) -> None:
    user = make_user(session, Role.SUPPORT)

    users.sign_out_everywhere(staff_actor(user.id, user.username, user.role), user.id)

    assert user.session_version == 2


def test_every_refused_sign_in_costs_the_same_work(session: Session, checks: list[str]) -> None:
    make_user(session, Role.ADMIN, username="staff")
    make_user(session, Role.ADMIN, username="inactive", is_active=False)
    make_user(session, Role.ADMIN, username="imported", password_hash=None)
    make_user(session, Role.CUSTOMER, username="customer")
    attempts = [
        ("staff", "wrong password"),
        ("nobody", PASSWORD),
        ("a\x00b", PASSWORD),
        ("", ""),
        ("inactive", PASSWORD),
        ("imported", PASSWORD),
        ("customer", PASSWORD),
        ("staff", PASSWORD + "x" * users.LONGEST_PASSWORD),
    ]

    for username, password in attempts:
        checks.clear()
        assert users.authenticate(session, username, password) is None, username
        assert len(checks) == 1, username
        assert checks[0].startswith(users.HASH_METHOD), username


def test_the_stand_in_itself_opens_no_door(session: Session) -> None:
    make_user(session, Role.ADMIN, username="imported", password_hash=None)

    assert users.authenticate(session, "imported", "nobody has this password") is None


def test_the_same_characters_typed_on_another_keyboard_match(
    session: Session, shell: Actor
) -> None:
    user = _create(shell, password="pa\u0301ssword for ada")

    assert users.authenticate(session, "ada", "p\u00e1ssword for ada") is user


def test_signing_in_is_noted_and_makes_no_form_stale(session: Session) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    user = make_user(session, Role.SUPPORT, updated_at=long_ago)

    begin_session(user, address=None, user_agent=None)

    assert user.last_login_at is not None
    assert (user.version, user.updated_at) == (1, long_ago)
    change_set = session.scalars(sa.select(ChangeSet)).one()
    assert (change_set.action, change_set.actor_id) == ("user.login", user.id)


def test_deactivating_ends_every_session(session: Session, shell: Actor) -> None:
    make_user(session, Role.ADMIN)
    user = make_user(session, Role.SUPPORT)
    begin_session(user, address=None, user_agent=None)

    users.set_active(shell, user.id, is_active=False)

    session.expire_all()
    assert (user.is_active, user.session_version) == (False, 2)
    ended = session.scalars(sa.select(LoginSession.ended_at)).all()
    assert len(ended) == 1
    assert None not in ended
    made = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert made is not None
    assert made.action == "user.deactivate"
    assert {change.field for change in made.changes} == {"is_active", "session_version"}


def test_activating_lets_an_account_in_again_and_is_told_once(
    session: Session, shell: Actor
) -> None:
    user = make_user(session, Role.SUPPORT, is_active=False)

    users.set_active(shell, user.id, is_active=True)
    users.set_active(shell, user.id, is_active=True)

    session.expire_all()
    assert (user.is_active, user.session_version) == (True, 1)
    assert session.scalars(sa.select(ChangeSet.action)).all() == ["user.activate"]


def test_nobody_deactivates_themselves(session: Session) -> None:
    make_user(session, Role.ADMIN)
    user = make_user(session, Role.ADMIN)

    with pytest.raises(RuleViolationError, match="your own"):
        users.set_active(staff_actor(user.id, user.username, user.role), user.id, is_active=False)

    session.expire_all()
    assert (user.is_active, count(session, ChangeSet)) == (True, 0)


def test_the_last_active_administrator_stays(session: Session, shell: Actor) -> None:
    last = make_user(session, Role.ADMIN)
    make_user(session, Role.ADMIN, is_active=False)

    with pytest.raises(RuleViolationError, match="last active administrator"):
        users.set_active(shell, last.id, is_active=False)

    session.expire_all()
    assert (last.is_active, count(session, ChangeSet)) == (True, 0)


def test_deactivating_needs_the_permission_and_an_account(
    session: Session, shell: Actor, actor_of: Callable[[Role], Actor]
) -> None:
    user = make_user(session, Role.SUPPORT)

    with pytest.raises(PermissionDeniedError):
        users.set_active(actor_of(Role.MANAGER), user.id, is_active=False)
    with pytest.raises(NotFoundError):
        users.set_active(shell, 999999, is_active=False)

    assert count(session, ChangeSet) == 0
