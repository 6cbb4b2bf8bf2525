"""The tree that the catalogue hangs on."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, PrimaryKey, Timestamped


class Category(Timestamped, Base):
    """A node of the category tree; names are unique among siblings, and there are no cycles."""

    __tablename__ = "categories"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        UniqueConstraint("parent_id", "name"),
        Index(
            "uq_categories_name_of_root",
            "name",
            unique=True,
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column()

    parent: Mapped[Category | None] = relationship(
        remote_side="Category.id", back_populates="children"
    )
    children: Mapped[list[Category]] = relationship(back_populates="parent", passive_deletes="all")

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.name
