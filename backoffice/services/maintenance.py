"""Beginning and ending maintenance."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction, utc_now
from backoffice.errors import InputError, NotFoundError
from backoffice.models import Maintenance, MaintenanceMode
from backoffice.services import audit

LONGEST_MESSAGE = 300


def begin_maintenance(
    actor: Actor, mode: MaintenanceMode, *, message: str, ends_at: datetime | None = None
) -> None:
    """Begin maintenance, or change what is going on; it ends by itself at `ends_at`.

    Raises InputError without a message, and for an end that is past.
    """
    actor.require(Permission.MAINTENANCE_MANAGE)
    message = " ".join(message.split())
    if not message or len(message) > LONGEST_MESSAGE:
        raise InputError(f"Say in up to {LONGEST_MESSAGE} characters what people should know.")
    if ends_at is not None and ends_at <= utc_now():
        raise InputError("The end is in the past. Choose a later one, or none.")
    with transaction() as session:
        row = session.merge(
            Maintenance(
                id=1,
                mode=mode,
                message=message,
                actor_name=actor.name,
                started_at=utc_now(),
                ends_at=ends_at,
            )
        )
        audit.record(
            session,
            actor,
            "maintenance.begin",
            row,
            reason=message,
            details={"mode": mode.value, "ends_at": ends_at and ends_at.isoformat()},
        )


def end_maintenance(actor: Actor) -> None:
    """End maintenance; raise NotFoundError when there is none."""
    actor.require(Permission.MAINTENANCE_MANAGE)
    with transaction() as session:
        row = session.get(Maintenance, 1)
        if row is None:
            raise NotFoundError("There is no maintenance to end.")
        audit.record(session, actor, "maintenance.end", row)
        session.delete(row)


def current_maintenance(session: Session) -> Maintenance | None:
    """Return the maintenance that is going on; None when there is none or its end has passed."""
    row = session.get(Maintenance, 1)
    return row if row and (row.ends_at is None or row.ends_at > utc_now()) else None
