"""Changes of many records at once: planned, looked at, done, and taken back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, BigId, PrimaryKey, UtcDateTime, text_enum, utc_now
from backoffice.models.audit import ChangeSet


class RowOutcome(StrEnum):
    """What is to become of a record, or what became of it."""

    PLANNED = "planned"
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"
    DONE = "done"
    MOVED = "moved on"
    REVERTED = "reverted"
    KEPT = "kept"
    STUCK = "stuck"


class PlanState(StrEnum):
    """How far a plan has come."""

    SEALED = "sealed"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class BulkPlan(Base):
    """One action upon the records that a list showed, frozen before anything was written.

    `query` is what the list was asked for; `options` is what the action was asked for.
    """

    __tablename__ = "bulk_plans"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[PrimaryKey]
    created_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(150))
    table_name: Mapped[str] = mapped_column(String(63))
    action: Mapped[str] = mapped_column(String(40))
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    query: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[UtcDateTime | None]
    finished_at: Mapped[UtcDateTime | None]
    undo_started_at: Mapped[UtcDateTime | None]
    undone_at: Mapped[UtcDateTime | None]
    change_set_id: Mapped[int | None] = mapped_column(
        ForeignKey("change_sets.id", ondelete="SET NULL")
    )
    undo_change_set_id: Mapped[int | None] = mapped_column(
        ForeignKey("change_sets.id", ondelete="SET NULL")
    )

    change_set: Mapped[ChangeSet | None] = relationship(foreign_keys=change_set_id)
    undo_change_set: Mapped[ChangeSet | None] = relationship(foreign_keys=undo_change_set_id)

    @property
    def state(self) -> PlanState:
        """How far it has come."""
        steps: tuple[tuple[datetime | None, PlanState], ...] = (
            (self.undone_at, PlanState.UNDONE),
            (self.undo_started_at, PlanState.UNDOING),
            (self.finished_at, PlanState.APPLIED),
            (self.started_at, PlanState.APPLYING),
        )
        return next((state for moment, state in steps if moment), PlanState.SEALED)

    def __str__(self) -> str:
        return f"Plan {self.id}"


class BulkPlanRow(Base):
    """One record of a plan: its version when it was looked at, and its value before and after.

    Values are text as in the change log; a related record is told by its name and kept by its key.
    `note` says why a row is blocked or was left alone, or what to mind.
    """

    __tablename__ = "bulk_plan_rows"
    __table_args__ = (
        UniqueConstraint("plan_id", "record_id"),
        Index(None, "plan_id", "outcome", "id"),
    )

    id: Mapped[PrimaryKey]
    plan_id: Mapped[int] = mapped_column(ForeignKey("bulk_plans.id", ondelete="CASCADE"))
    record_id: Mapped[int] = mapped_column(BigId)
    record_label: Mapped[str] = mapped_column(String(300))
    version: Mapped[int]
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    before_key: Mapped[int | None] = mapped_column(BigId)
    after_key: Mapped[int | None] = mapped_column(BigId)
    outcome: Mapped[RowOutcome] = mapped_column(text_enum(RowOutcome, "outcome"))
    note: Mapped[str | None] = mapped_column(String(300))

    def __str__(self) -> str:
        return self.record_label
