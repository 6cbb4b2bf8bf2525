"""The person behind an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, PrimaryKey, Timestamped

if TYPE_CHECKING:
    from backoffice.models.users import User


class Profile(Timestamped, Base):
    """What is known of a person; one per account at most."""

    __tablename__ = "profiles"
    __table_args__ = (Index(None, "full_name", "id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    full_name: Mapped[str] = mapped_column(String(200), default="")
    phone_number: Mapped[str | None] = mapped_column(String(40))
    bio: Mapped[str | None] = mapped_column(Text)
    avatar_url: Mapped[str | None] = mapped_column(String(500))
    country: Mapped[str | None] = mapped_column(String(80))
    version: Mapped[int] = mapped_column()

    user: Mapped[User] = relationship(back_populates="profile")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.full_name or f"Profile {self.id}"
