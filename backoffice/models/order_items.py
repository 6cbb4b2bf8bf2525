"""The lines of an order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, BigId, ExactNumeric, Money, PrimaryKey, UnitPrice

if TYPE_CHECKING:
    from backoffice.models.orders import Order
    from backoffice.models.products import Product

_WAITING = text("quantity > quantity_shipped + quantity_cancelled")


class OrderItem(Base):
    """One line, with a snapshot of what was sold: later edits of the catalogue do not reach it.

    `line_total` is quantity × unit_price, rounded half up to cents, less the line's discount,
    without tax. `tax_rate` is a share (0.2 is 20 %), None where it is not known. `category_id` is a
    snapshot too, hence no foreign key.
    """

    __tablename__ = "order_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("unit_price >= 0 AND unit_price <> 'NaN'", name="unit_price_not_negative"),
        CheckConstraint(
            "discount_amount >= 0 AND discount_amount <= quantity * unit_price + 0.0051",
            name="discount_within_line",
        ),
        CheckConstraint("tax_amount >= 0", name="tax_not_negative"),
        # Half a cent of rounding, and SQLite's binary fractions.
        CheckConstraint(
            "abs(line_total - (quantity * unit_price - discount_amount)) < 0.0051",
            name="line_total_is_its_parts",
        ),
        CheckConstraint(
            "quantity_shipped >= 0 AND quantity_cancelled >= 0 AND quantity_refunded >= 0",
            name="quantities_not_negative",
        ),
        CheckConstraint(
            "quantity_shipped + quantity_cancelled <= quantity", name="shipped_within_quantity"
        ),
        CheckConstraint("quantity_refunded <= quantity", name="refunded_within_quantity"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 10", name="tax_rate_is_a_share"),
        Index(None, "order_id"),
        Index(None, "product_id", "order_id"),
        Index(
            "ix_order_items_waiting", "product_id", sqlite_where=_WAITING, postgresql_where=_WAITING
        ),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    sku: Mapped[str] = mapped_column(String(64))
    product_name: Mapped[str] = mapped_column(String(200))
    category_id: Mapped[int | None] = mapped_column(BigId)
    category_path: Mapped[str | None] = mapped_column(String(500))
    unit_cost: Mapped[UnitPrice | None]
    quantity: Mapped[int]
    unit_price: Mapped[UnitPrice]
    discount_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    tax_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    line_total: Mapped[Money]
    quantity_shipped: Mapped[int] = mapped_column(default=0)
    quantity_cancelled: Mapped[int] = mapped_column(default=0)
    quantity_refunded: Mapped[int] = mapped_column(default=0)
    tax_rate: Mapped[Decimal | None] = mapped_column(ExactNumeric(6, 4))

    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"
