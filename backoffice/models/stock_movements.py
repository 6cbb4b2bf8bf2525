"""Why there is as much in stock as there is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, PrimaryKey, text_enum
from backoffice.models.append_only import Acted, append_only

if TYPE_CHECKING:
    from backoffice.models.order_items import OrderItem
    from backoffice.models.products import Product
    from backoffice.models.refunds import RefundItem


class MovementKind(StrEnum):
    """What moved the stock; sale and write-off take away, an adjustment goes either way."""

    OPENING = "opening"
    RECEIVE = "receive"
    SALE = "sale"
    CANCEL = "cancel"
    RESTOCK = "restock"
    WRITE_OFF = "write_off"
    ADJUST = "adjust"


_SALE = text("kind = 'sale'")
_OF_LINE = text("order_item_id IS NOT NULL")
_OF_REFUND = text("refund_item_id IS NOT NULL")


class StockMovement(Acted, Base):
    """One change of a product's stock, for good: `products.stock` is the sum of all `delta`.

    A line is sold once and an item of a refund is put back once.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("delta <> 0", name="delta_not_zero"),
        CheckConstraint("balance_after >= 0", name="balance_not_negative"),
        CheckConstraint(
            "kind = 'adjust' OR (kind IN ('sale', 'write_off')) = (delta < 0)",
            name="sign_fits_kind",
        ),
        CheckConstraint(
            "kind NOT IN ('adjust', 'write_off') OR reason IS NOT NULL",
            name="correction_has_reason",
        ),
        CheckConstraint(
            "(kind IN ('sale', 'cancel')) = (order_item_id IS NOT NULL)", name="sale_has_line"
        ),
        CheckConstraint(
            "(kind = 'restock') = (refund_item_id IS NOT NULL)", name="restock_has_refund"
        ),
        Index(None, "product_id", "id"),
        Index(
            "ix_stock_movements_order_item_id",
            "order_item_id",
            sqlite_where=_OF_LINE,
            postgresql_where=_OF_LINE,
        ),
        Index(
            "uq_stock_movements_sale",
            "order_item_id",
            unique=True,
            sqlite_where=_SALE,
            postgresql_where=_SALE,
        ),
        Index(
            "uq_stock_movements_restock",
            "refund_item_id",
            unique=True,
            sqlite_where=_OF_REFUND,
            postgresql_where=_OF_REFUND,
        ),
    )

    id: Mapped[PrimaryKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    kind: Mapped[MovementKind] = mapped_column(text_enum(MovementKind, "kind"))
    delta: Mapped[int]
    balance_after: Mapped[int]
    order_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("order_items.id", ondelete="RESTRICT")
    )
    refund_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("refund_items.id", ondelete="RESTRICT")
    )
    reason: Mapped[str | None] = mapped_column(String(500))

    product: Mapped[Product] = relationship()
    order_item: Mapped[OrderItem | None] = relationship()
    refund_item: Mapped[RefundItem | None] = relationship()

    def __str__(self) -> str:
        return f"{self.kind} {self.delta:+}"


append_only(StockMovement.__table__)  # type: ignore[arg-type]
