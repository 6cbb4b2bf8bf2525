"""Free labels for products."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, PrimaryKey, Timestamped


class Tag(Timestamped, Base):
    """A label; a product may carry several."""

    __tablename__ = "tags"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(60), unique=True)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name
