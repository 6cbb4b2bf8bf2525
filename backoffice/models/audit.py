"""The change log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.access import Source
from backoffice.db import Base, BigId, PrimaryKey, UtcDateTime, text_enum, utc_now


class ChangeSet(Base):
    """One write: who, when, from where and why; it outlives the user who made it.

    `table_name` and `record_id` name the record it is about, where it is about one. `form_key` is
    the SHA-256 in hex of the form that made the record: the same form sent twice makes one.
    """

    __tablename__ = "change_sets"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "actor_name", "created_at", "id"),
        Index(None, "action", "created_at", "id"),
        Index(None, "table_name", "record_id", "id"),
        Index(None, "actor_id"),
        Index(
            "uq_change_sets_form_key",
            "form_key",
            unique=True,
            sqlite_where=text("form_key IS NOT NULL"),
            postgresql_where=text("form_key IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    created_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(150))
    source: Mapped[Source] = mapped_column(text_enum(Source, "source"))
    action: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)
    table_name: Mapped[str | None] = mapped_column(String(63))
    record_id: Mapped[int | None] = mapped_column(BigId)
    record_label: Mapped[str | None] = mapped_column(String(300))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    form_key: Mapped[str | None] = mapped_column(String(64))

    changes: Mapped[list[Change]] = relationship(
        back_populates="change_set", order_by="Change.id", passive_deletes="all"
    )

    def __str__(self) -> str:
        return f"{self.action} {self.record_label or ''}".strip()


class Change(Base):
    """One field, before and after, as text; NULL is a value that was or became empty.

    `record_id` names the record where the change set is about many.
    """

    __tablename__ = "changes"
    __table_args__ = (
        Index(None, "change_set_id"),
        Index(
            "ix_changes_record_of_many",
            "record_id",
            "change_set_id",
            sqlite_where=text("record_id IS NOT NULL"),
            postgresql_where=text("record_id IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    change_set_id: Mapped[int] = mapped_column(ForeignKey("change_sets.id", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(63))
    old_value: Mapped[str | None] = mapped_column(Text)
    new_value: Mapped[str | None] = mapped_column(Text)
    record_id: Mapped[int | None] = mapped_column(BigId)

    change_set: Mapped[ChangeSet] = relationship(back_populates="changes")

    def __str__(self) -> str:
        return self.field
