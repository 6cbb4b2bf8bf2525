"""What products cost before."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, PrimaryKey, UnitPrice
from backoffice.models.append_only import Acted, append_only

if TYPE_CHECKING:
    from backoffice.models.products import Product


class PriceChange(Acted, Base):
    """One change of a product's price, for good: taking it back is a new change.

    Changes that were made together share `batch_id`. A product's first price has no old one.
    """

    __tablename__ = "price_changes"
    __table_args__ = (
        CheckConstraint("old_price >= 0 AND old_price <> 'NaN'", name="old_price_not_negative"),
        CheckConstraint("new_price >= 0 AND new_price <> 'NaN'", name="new_price_not_negative"),
        CheckConstraint("old_price <> new_price", name="price_changes"),
        Index(None, "product_id", "id"),
        Index(None, "batch_id", "product_id"),
    )

    id: Mapped[PrimaryKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    old_price: Mapped[UnitPrice | None]
    new_price: Mapped[UnitPrice]
    batch_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(String(500))

    product: Mapped[Product] = relationship()

    def __str__(self) -> str:
        return f"{self.old_price} → {self.new_price}"


append_only(PriceChange.__table__)  # type: ignore[arg-type]
