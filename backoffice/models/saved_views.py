"""Lists that somebody wants to find again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.access import Role
from backoffice.db import Base, PrimaryKey, Timestamped, text_enum

_DEFAULT = text("is_default")


class SavedView(Timestamped, Base):
    """A list's URL query under a name; private, or shared with the `role`.

    It holds no rows: whoever opens it sees what their own permissions allow.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("NOT is_default OR role IS NOT NULL", name="default_is_for_a_role"),
        UniqueConstraint("owner_id", "table_name", "name"),
        Index(None, "table_name", "role"),
        Index(
            "uq_saved_views_default_of_role",
            "table_name",
            "role",
            unique=True,
            sqlite_where=_DEFAULT,
            postgresql_where=_DEFAULT,
        ),
    )

    id: Mapped[PrimaryKey]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    table_name: Mapped[str] = mapped_column(String(63))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(Text)
    role: Mapped[Role | None] = mapped_column(text_enum(Role, "role"))
    is_pinned: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name
