"""Customers: who looked at whom, and why."""

from __future__ import annotations

from typing import Any

from backoffice.access import Actor, Permission
from backoffice.db import Base, transaction
from backoffice.errors import InputError, NotFoundError
from backoffice.models.personal import PERSONAL
from backoffice.services import audit

LONGEST_REASON = 500


def reveal_customer(actor: Actor, model: type[Base], record_id: int, *, reason: str) -> None:
    """Log, in a transaction of its own, that the actor is about to see whose record this is.

    Raises InputError without a reason, and NotFoundError without the record.
    """
    actor.require(Permission.CUSTOMER_REVEAL)
    reason = " ".join(reason.split())
    if not 3 <= len(reason) <= LONGEST_REASON:
        raise InputError(f"Say in 3 to {LONGEST_REASON} characters why you need to know.")
    with transaction() as session:
        record: Any = session.get(model, record_id) if model in PERSONAL else None
        if record is None:
            raise NotFoundError("There is no such record of a customer.")
        seen = {"fields": sorted(PERSONAL[model])}
        audit.record(session, actor, "customer.reveal", record, reason=reason, details=seen)
