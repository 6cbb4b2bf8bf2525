"""What people choose for their own console."""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import transaction
from backoffice.errors import InputError, PermissionDeniedError
from backoffice.models import Preference, User
from backoffice.services.locks import lock_row

LONGEST_VALUE = 8_000
_KEY = re.compile(r"[a-z][a-z0-9_.]{0,79}")


def set_preference(actor: Actor, key: str, value: Any) -> None:
    """Keep one of the actor's own choices; None forgets it.

    No change set: these are a person's own settings and change nothing that others see.
    """
    set_preferences(actor, {key: value})


def set_preferences(actor: Actor, values: dict[str, Any]) -> None:
    """Keep several choices at once, or none of them; raise InputError for one that cannot be."""
    user_id = actor.user_id
    if user_id is None:
        raise PermissionDeniedError("Only a person with an account has settings.")
    for key, value in values.items():
        _require_usable(key, value)
    with transaction() as session:
        # Two tabs that save at once would otherwise both find no row and both add one.
        lock_row(session, User, user_id)
        session.execute(
            sa.delete(Preference).where(Preference.user_id == user_id, Preference.key.in_(values))
        )
        session.add_all(
            Preference(user_id=user_id, key=key, value=value)
            for key, value in values.items()
            if value is not None
        )


def preferences_of(session: Session, user_id: int) -> dict[str, Any]:
    """Return {key: value} of a person's choices, in one statement."""
    chosen = sa.select(Preference.key, Preference.value).where(Preference.user_id == user_id)
    return {row.key: row.value for row in session.execute(chosen)}


def _require_usable(key: str, value: Any) -> None:
    if not _KEY.fullmatch(key):
        raise InputError("A setting's name is lower-case letters, digits, dots and underscores.")
    if len(json.dumps(value)) > LONGEST_VALUE:
        raise InputError("This setting is too long to be kept.")
