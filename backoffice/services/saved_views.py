"""Lists under a name: private, or shared with a role."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission, Role
from backoffice.db import transaction
from backoffice.errors import InputError, NotFoundError, PermissionDeniedError
from backoffice.models import SavedView, User
from backoffice.services import audit
from backoffice.services.locks import lock_row

LONGEST_NAME = 80
LONGEST_QUERY = 4_000
MOST_VIEWS = 200


def save_view(
    actor: Actor,
    *,
    table_name: str,
    name: str,
    query: str,
    role: Role | None = None,
    is_pinned: bool = False,
    is_default: bool = False,
) -> SavedView:
    """Keep a list's query string under a name; one's own view of that name is replaced.

    With a `role` it is shared, which takes VIEW_SHARE; a new default of a role ends the former one.
    """
    owner_id = _require_owner(actor)
    if role is not None or is_default:
        actor.require(Permission.VIEW_SHARE)
    if is_default and role is None:
        raise InputError("Choose the role whose default this is to be.")
    name, query = _clean_name(name), _clean_query(query)
    with transaction() as session:
        lock_row(session, User, owner_id)
        if is_default:
            _end_former_default(session, actor, table_name, role, (owner_id, name))
        view = _own(session, owner_id, table_name, name)
        created = view is None
        if view is None:
            view = SavedView(owner_id=owner_id, table_name=table_name, name=name)
            session.add(view)
        view.query, view.role, view.is_pinned, view.is_default = query, role, is_pinned, is_default
        changes = audit.differences(session, view)
        session.flush()
        action = "saved_view.create" if created else "saved_view.update"
        audit.record(session, actor, action, view, changes=changes)
    return view


def delete_view(actor: Actor, view_id: int) -> None:
    """Delete one's own view; an administrator may also delete what others have shared.

    Raises NotFoundError for others' private views, which nobody else is told of.
    """
    with transaction() as session:
        view = lock_row(session, SavedView, view_id)
        is_own = actor.user_id is not None and view.owner_id == actor.user_id
        if not is_own and view.role is None:
            raise NotFoundError("There is no such saved view.")
        if not is_own and actor.role is not Role.ADMIN:
            raise PermissionDeniedError("Only its owner or an administrator deletes this view.")
        changes = audit.snapshot(view)
        audit.record(session, actor, "saved_view.delete", view, changes=changes)
        session.delete(view)


def _views(shared: sa.ColumnElement[bool]) -> sa.Select[SavedView]:
    return (
        sa.select(SavedView)
        .where(SavedView.table_name == sa.bindparam("table"))
        .where(sa.or_(SavedView.owner_id == sa.bindparam("owner"), shared))
        .order_by(SavedView.is_pinned.desc(), SavedView.name, SavedView.id)
        .limit(MOST_VIEWS)
    )


# Every list sends one of them, hence made only once.
_VIEWS = _views(SavedView.role == sa.bindparam("role"))
_VIEWS_OF_ALL = _views(SavedView.role.is_not(None))


def views_for(session: Session, actor: Actor, table_name: str) -> list[SavedView]:
    """Return the actor's own views of a table and those shared with them, pinned ones first."""
    statement = _VIEWS_OF_ALL if actor.role is Role.ADMIN else _VIEWS
    known = {"table": table_name, "owner": actor.user_id, "role": actor.role}
    return list(session.scalars(statement, known))


def _require_owner(actor: Actor) -> int:
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person with an account saves views.")
    return actor.user_id


def _own(session: Session, owner_id: int, table_name: str, name: str) -> SavedView | None:
    return session.scalar(
        sa.select(SavedView)
        .filter_by(owner_id=owner_id, table_name=table_name, name=name)
        .execution_options(populate_existing=True)
    )


def _end_former_default(
    session: Session, actor: Actor, table_name: str, role: Role | None, new: tuple[int, str]
) -> None:
    former = session.scalar(
        sa.select(SavedView).filter_by(table_name=table_name, role=role, is_default=True)
    )
    if former is None or (former.owner_id, former.name) == new:
        return
    former.is_default = False
    changes = audit.differences(session, former)
    session.flush()
    audit.record(session, actor, "saved_view.update", former, changes=changes)


def _clean_name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or "\0" in name:
        raise InputError(f"A view's name has 1 to {LONGEST_NAME} characters.")
    return name


def _clean_query(text: str) -> str:
    query = text.removeprefix("?")
    if len(query) > LONGEST_QUERY:
        raise InputError("This list's address is too long to be saved.")
    if not query.isprintable() or "#" in query:
        raise InputError("This is no address of a list. Save the view on the list's page.")
    return query
