"""Accounts of customers and staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.access import Role
from backoffice.db import Base, PrimaryKey, Timestamped, UtcDateTime, text_enum

if TYPE_CHECKING:
    from backoffice.models.orders import Order
    from backoffice.models.profiles import Profile


class User(Timestamped, Base):
    """An account; `role` and `password_hash` change only through `services.users`.

    Names and addresses are kept in lower case, so that plain uniqueness is enough.
    An imported customer has neither e-mail nor password and cannot sign in.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("username = lower(username)", name="username_lower_case"),
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("session_version >= 1", name="session_version_positive"),
        Index(None, "role", "id"),
        Index("ix_users_email_prefix", "email", postgresql_ops={"email": "text_pattern_ops"}),
        Index(None, "created_at", "id"),
        Index(None, "last_login_at", "id"),
    )

    id: Mapped[PrimaryKey]
    username: Mapped[str] = mapped_column(String(150), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"), default=Role.CUSTOMER)
    is_active: Mapped[bool] = mapped_column(default=True)
    session_version: Mapped[int] = mapped_column(default=1)
    last_login_at: Mapped[UtcDateTime | None]
    version: Mapped[int] = mapped_column()

    profile: Mapped[Profile | None] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
    )
    orders: Mapped[list[Order]] = relationship(back_populates="user", passive_deletes="all")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.username
