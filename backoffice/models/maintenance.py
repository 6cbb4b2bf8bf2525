"""Whether the console is being worked on."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, UtcDateTime, text_enum, utc_now


class MaintenanceMode(StrEnum):
    """What is left to do for people who may not manage it."""

    READ_ONLY = "read_only"
    CLOSED = "closed"


class Maintenance(Base):
    """The one that is going on: a single row, or none; the change log has those before."""

    __tablename__ = "maintenance"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    mode: Mapped[MaintenanceMode] = mapped_column(text_enum(MaintenanceMode, "mode"))
    message: Mapped[str] = mapped_column(String(300))
    actor_name: Mapped[str] = mapped_column(String(150))
    started_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    ends_at: Mapped[UtcDateTime | None]

    def __str__(self) -> str:
        return self.mode.value.replace("_", "-")
