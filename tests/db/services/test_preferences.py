"""A person's own choices."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role, staff_actor
from backoffice.db import StatementLog, statement_log
from backoffice.errors import InputError, PermissionDeniedError
from backoffice.models import ChangeSet, Preference
from backoffice.services.preferences import preferences_of, set_preference, set_preferences
from tests.factories import count, make_user


@pytest.fixture
def ada(session: Session) -> Actor:
    user = make_user(session, Role.SUPPORT)
    return staff_actor(user.id, user.username, user.role)


def of(session: Session, actor: Actor) -> dict[str, object]:
    assert actor.user_id is not None
    return preferences_of(session, actor.user_id)


def test_a_choice_is_kept_and_replaced(session: Session, ada: Actor) -> None:
    set_preference(ada, "theme", "dark")
    set_preference(ada, "list.orders.columns", ["number", "total_amount"])
    set_preference(ada, "theme", "light")

    assert of(session, ada) == {"theme": "light", "list.orders.columns": ["number", "total_amount"]}
    assert count(session, ChangeSet) == 0


def test_choosing_nothing_forgets_the_choice(session: Session, ada: Actor) -> None:
    set_preferences(ada, {"theme": "dark", "density": "compact"})

    set_preference(ada, "theme", None)

    assert of(session, ada) == {"density": "compact"}


def test_everybody_has_their_own(session: Session, ada: Actor) -> None:
    other = make_user(session, Role.ADMIN)
    set_preference(ada, "theme", "dark")

    assert preferences_of(session, other.id) == {}


def test_they_are_read_in_one_statement(session: Session, ada: Actor) -> None:
    set_preferences(ada, {f"key{number}": number for number in range(20)})
    session.connection()
    log = StatementLog()
    token = statement_log.set(log)

    assert len(of(session, ada)) == 20

    statement_log.reset(token)
    assert log.count == 1


@pytest.mark.parametrize("key", ["", "Theme", "a b", "x" * 81, "1", "a\n"])
def test_a_senseless_name_is_refused(session: Session, ada: Actor, key: str) -> None:
    with pytest.raises(InputError):
        set_preferences(ada, {"theme": "dark", key: 1})

    assert count(session, Preference) == 0


def test_a_value_that_is_too_long_is_refused(session: Session, ada: Actor) -> None:
    set_preference(ada, "theme", "dark")

    with pytest.raises(InputError, match="too long"):
        set_preference(ada, "theme", "x" * 8_000)

    assert of(session, ada) == {"theme": "dark"}


def test_the_shell_has_no_settings(session: Session, shell: Actor) -> None:
    with pytest.raises(PermissionDeniedError):
        set_preference(shell, "theme", "dark")
