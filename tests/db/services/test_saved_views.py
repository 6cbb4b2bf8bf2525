"""Lists under a name: whose they are, who sees them, and who may share or delete them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role, staff_actor
from backoffice.errors import InputError, NotFoundError, PermissionDeniedError
from backoffice.models import ChangeSet, SavedView
from backoffice.services.saved_views import delete_view, save_view, views_for
from tests.factories import count, make_user

Person = Callable[[Role], Actor]


@pytest.fixture
def person(session: Session) -> Person:
    def make(role: Role) -> Actor:
        user = make_user(session, role)
        return staff_actor(user.id, user.username, user.role)

    return make


def save(actor: Actor, name: str = "Late", query: str = "status=paid", **more: object) -> SavedView:
    return save_view(actor, table_name="orders", name=name, query=query, **more)  # type: ignore[arg-type]


def names(session: Session, actor: Actor) -> list[str]:
    return [view.name for view in views_for(session, actor, "orders")]


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(ChangeSet.action).order_by(ChangeSet.id)))


def test_a_private_view_is_seen_by_its_owner_alone(session: Session, person: Person) -> None:
    ada = person(Role.SUPPORT)
    save(ada, query="?status=paid&page=2")

    assert [(v.name, v.query) for v in views_for(session, ada, "orders")] == [
        ("Late", "status=paid&page=2")
    ]
    assert views_for(session, ada, "products") == []
    assert names(session, person(Role.SUPPORT)) == names(session, person(Role.ADMIN)) == []
    assert actions(session) == ["saved_view.create"]


def test_a_shared_view_is_seen_by_its_role_and_by_administrators(
    session: Session, person: Person
) -> None:
    save(person(Role.MANAGER), role=Role.SUPPORT)

    seen = {role: names(session, person(role)) for role in Role if role.is_staff}

    assert seen == {
        Role.ANALYST: [],
        Role.SUPPORT: ["Late"],
        Role.MANAGER: [],
        Role.OPERATOR: [],
        Role.ADMIN: ["Late"],
    }


def test_saving_under_the_same_name_replaces(session: Session, person: Person) -> None:
    ada = person(Role.SUPPORT)
    first = save(ada, query="a=1").id

    assert save(ada, name=" Late ", query="a=2", is_pinned=True).id == first

    (view,) = views_for(session, ada, "orders")
    assert (view.query, view.is_pinned, view.version) == ("a=2", True, 2)
    assert actions(session) == ["saved_view.create", "saved_view.update"]


def test_two_people_may_use_the_same_name(session: Session, person: Person) -> None:
    save(person(Role.SUPPORT))
    save(person(Role.SUPPORT))

    assert count(session, SavedView) == 2


def test_pinned_views_come_first(session: Session, person: Person) -> None:
    ada = person(Role.SUPPORT)
    save(ada, "b")
    save(ada, "a")
    save(ada, "z", is_pinned=True)

    assert names(session, ada) == ["z", "a", "b"]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT, Role.OPERATOR])
def test_sharing_takes_the_permission(session: Session, person: Person, role: Role) -> None:
    ada = person(role)

    with pytest.raises(PermissionDeniedError):
        save(ada, role=role)
    with pytest.raises(PermissionDeniedError):
        save(ada, is_default=True)

    assert (count(session, SavedView), count(session, ChangeSet)) == (0, 0)


def test_a_role_has_one_default_in_a_table(session: Session, person: Person) -> None:
    ada, bob = person(Role.MANAGER), person(Role.ADMIN)
    save(ada, "old", role=Role.SUPPORT, is_default=True)
    save(ada, "other role", role=Role.ANALYST, is_default=True)

    save(bob, "new", role=Role.SUPPORT, is_default=True)
    save(bob, "new", role=Role.SUPPORT, is_default=True)

    defaults = session.scalars(sa.select(SavedView.name).where(SavedView.is_default))
    assert set(defaults) == {"new", "other role"}


def test_a_default_without_a_role_is_refused(session: Session, person: Person) -> None:
    with pytest.raises(InputError, match="role"):
        save(person(Role.MANAGER), is_default=True)

    assert count(session, SavedView) == 0


@pytest.mark.parametrize(
    ("name", "query"), [("", "a=1"), (" ", "a=1"), ("x" * 81, "a=1"), ("x", "a" * 4_001)]
)
def test_what_cannot_be_kept_is_refused(
    session: Session, person: Person, name: str, query: str
) -> None:
    with pytest.raises(InputError):
        save(person(Role.ADMIN), name, query)

    assert (count(session, SavedView), count(session, ChangeSet)) == (0, 0)


def test_the_owner_deletes_with_a_trace(session: Session, person: Person) -> None:
    ada = person(Role.SUPPORT)

    delete_view(ada, save(ada).id)

    assert count(session, SavedView) == 0
    assert actions(session) == ["saved_view.create", "saved_view.delete"]


def test_an_administrator_deletes_what_is_shared(session: Session, person: Person) -> None:
    delete_view(person(Role.ADMIN), save(person(Role.MANAGER), role=Role.SUPPORT).id)

    assert count(session, SavedView) == 0


def test_nobody_else_deletes_what_is_shared(session: Session, person: Person) -> None:
    view = save(person(Role.MANAGER), role=Role.SUPPORT)

    for role in (Role.SUPPORT, Role.MANAGER):
        with pytest.raises(PermissionDeniedError):
            delete_view(person(role), view.id)

    assert (count(session, SavedView), actions(session)) == (1, ["saved_view.create"])


def test_nobody_else_is_told_of_a_private_view(
    session: Session, person: Person, shell: Actor
) -> None:
    view = save(person(Role.MANAGER))

    for actor in (person(Role.ADMIN), person(Role.MANAGER), shell):
        with pytest.raises(NotFoundError):
            delete_view(actor, view.id)

    assert (count(session, SavedView), actions(session)) == (1, ["saved_view.create"])


def test_views_go_with_their_owner(session: Session, person: Person) -> None:
    ada = person(Role.SUPPORT)
    save(ada)

    session.execute(sa.text("DELETE FROM users WHERE id = :id"), {"id": ada.user_id})

    assert count(session, SavedView) == 0
