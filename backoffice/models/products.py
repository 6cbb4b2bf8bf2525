"""What the shop sells."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from backoffice.db import Base, BigId, PrimaryKey, Timestamped, UnitPrice
from backoffice.models.categories import Category
from backoffice.models.tags import Tag

product_tags = Table(
    "product_tags",
    Base.metadata,
    Column("product_id", BigId, ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", BigId, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "tag_id"),
)


class Product(Timestamped, Base):
    """An article; `stock` is what can be sold now and changes only through services."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("sku = upper(sku)", name="sku_upper_case"),
        # 'NaN' is greater than every number on PostgreSQL, so that >= 0 alone lets it through.
        CheckConstraint("price >= 0 AND price <> 'NaN'", name="price_not_negative"),
        CheckConstraint("unit_cost >= 0 AND unit_cost <> 'NaN'", name="unit_cost_not_negative"),
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold_not_negative"),
        Index(None, "category_id"),
        Index(None, "name", "id"),
        Index(None, "price", "id"),
        Index(
            "ix_products_low_stock",
            "stock",
            sqlite_where=text("stock <= low_stock_threshold"),
            postgresql_where=text("stock <= low_stock_threshold"),
        ),
    )

    id: Mapped[PrimaryKey]
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    price: Mapped[UnitPrice]
    unit_cost: Mapped[UnitPrice | None]
    stock: Mapped[int] = mapped_column(default=0)
    low_stock_threshold: Mapped[int] = mapped_column(default=5)
    is_available: Mapped[bool] = mapped_column(default=True)
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="RESTRICT")
    )
    version: Mapped[int] = mapped_column()

    # What open orders wait for; None unless the query asked for it (`services/stock_levels.py`).
    committed: Mapped[int | None] = query_expression()

    category: Mapped[Category | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=product_tags, order_by=Tag.name)

    __mapper_args__ = {"version_id_col": version}

    @property
    def on_hand(self) -> int | None:
        """What lies in the store: what can be sold, and what open orders wait for."""
        return None if self.committed is None else self.stock + self.committed

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"
