"""Maintenance as every process knows it, a few seconds old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, ProgrammingError

from backoffice.db import utc_now
from backoffice.models import Maintenance, MaintenanceMode


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told, and until when."""

    mode: MaintenanceMode
    message: str
    ends_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether its end has passed."""
        return self.ends_at is not None and self.ends_at <= utc_now()

    @property
    def seconds_left(self) -> int | None:
        """How long it is until its end, rounded up."""
        if self.ends_at is None:
            return None
        return ceil((self.ends_at - utc_now()).total_seconds())


def read_notice(connection: Connection) -> Notice | None:
    """Return the maintenance that was begun last; None without one or without the table."""
    query = sa.select(Maintenance.mode, Maintenance.message, Maintenance.ends_at)
    try:
        row = connection.execute(query).one_or_none()
    except (ProgrammingError, OperationalError) as error:
        if isinstance(error, OperationalError) and "no such table" not in str(error.orig):
            raise
        return None
    return Notice(*row) if row else None
