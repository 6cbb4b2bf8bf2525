"""The key figures of the last day, for the charts of the health page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, PrimaryKey, UtcDateTime


class HealthSample(Base):
    """What one server had counted and found at one moment; counts are since its start."""

    __tablename__ = "health_samples"
    __table_args__ = (UniqueConstraint("taken_at", "instance"),)

    id: Mapped[PrimaryKey]
    taken_at: Mapped[UtcDateTime]
    instance: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)

    def __str__(self) -> str:
        return f"{self.instance} {self.taken_at:%Y-%m-%d %H:%M}"
