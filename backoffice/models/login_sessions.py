"""Where members of staff are signed in."""

from __future__ import annotations

from sqlalchemy import CHAR, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, PrimaryKey, UtcDateTime, utc_now


class LoginSession(Base):
    """One browser of one person; open until `ended_at`.

    The browser holds a random token in its signed cookie, this row only the token's SHA-256 in hex.
    """

    __tablename__ = "login_sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(CHAR(64), unique=True)
    created_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)
    ended_at: Mapped[UtcDateTime | None]
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))

    def __str__(self) -> str:
        return f"Session {self.id}"
