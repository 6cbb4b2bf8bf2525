"""Money that went back to customers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, BigId, Money, PrimaryKey, UtcDateTime, text_enum
from backoffice.models.append_only import Acted

if TYPE_CHECKING:
    from backoffice.models.order_items import OrderItem
    from backoffice.models.orders import Order
    from backoffice.models.payments import Payment
    from backoffice.models.products import Product
    from backoffice.models.users import User


class RefundStatus(StrEnum):
    """Whether the money has gone; a failed refund is tried again as a new one."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundKind(StrEnum):
    """Whether it was made here against a payment, or comes from another system's books."""

    REFUND = "refund"
    CREDIT_NOTE = "credit_note"


_SUCCEEDED = text("status = 'succeeded'")
_PENDING = text("status = 'pending'")
_UNALLOCATED = text("order_item_id IS NULL AND product_id IS NULL")


class Refund(Acted, Base):
    """Money given back for an order; an imported credit note may know neither order nor payment.

    `amount` is Σ amount of the items + `shipping_amount` + `tax_amount`. It counts on
    `processed_on`, the day in the shop's zone on which it succeeded or failed.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0 AND amount <> 'NaN'", name="amount_positive"),
        CheckConstraint(
            "shipping_amount >= 0 AND tax_amount >= 0"
            " AND shipping_amount + tax_amount < amount + 0.005",
            name="parts_within_amount",
        ),
        CheckConstraint(
            "(status = 'pending') = (processed_at IS NULL)", name="pending_until_processed"
        ),
        CheckConstraint(
            "(processed_at IS NULL) = (processed_on IS NULL)", name="processed_day_with_moment"
        ),
        CheckConstraint("(kind = 'refund') = (payment_id IS NOT NULL)", name="refund_has_payment"),
        CheckConstraint("kind <> 'refund' OR order_id IS NOT NULL", name="refund_has_order"),
        CheckConstraint("(kind = 'refund') = (idempotency_key IS NOT NULL)", name="refund_has_key"),
        CheckConstraint(
            "kind <> 'credit_note' OR status = 'succeeded'", name="credit_note_is_done"
        ),
        Index(None, "order_id"),
        Index(None, "payment_id"),
        Index(None, "user_id"),
        Index(
            "ix_refunds_succeeded",
            "processed_on",
            "id",
            sqlite_where=_SUCCEEDED,
            postgresql_where=_SUCCEEDED,
        ),
        Index("ix_refunds_pending", "created_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    )

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[RefundKind] = mapped_column(
        text_enum(RefundKind, "kind"), default=RefundKind.REFUND
    )
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id", ondelete="RESTRICT"))
    # Whose money it was, as the order says it; a credit note of a guest has none.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    country: Mapped[str | None] = mapped_column(String(80))
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[RefundStatus] = mapped_column(
        text_enum(RefundStatus, "status"), default=RefundStatus.PENDING
    )
    amount: Mapped[Money]
    shipping_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    tax_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    reason: Mapped[str] = mapped_column(String(500))
    note: Mapped[str | None] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(String(100), unique=True)
    processed_at: Mapped[UtcDateTime | None]
    processed_on: Mapped[date | None]

    order: Mapped[Order | None] = relationship(back_populates="refunds")
    payment: Mapped[Payment | None] = relationship(back_populates="refunds")
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    items: Mapped[list[RefundItem]] = relationship(
        back_populates="refund", order_by="RefundItem.id", passive_deletes="all"
    )

    def __str__(self) -> str:
        return self.number


class RefundItem(Base):
    """What of a refund is for one line; `amount` is without tax. Quantity 0 gives money only.

    The line of a credit note names a product, with a snapshot as on an order item. At most one
    item of a refund names neither: money that belongs to no line.
    """

    __tablename__ = "refund_items"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("amount >= 0 AND amount <> 'NaN'", name="amount_not_negative"),
        CheckConstraint("tax_amount >= 0 AND tax_amount <> 'NaN'", name="tax_not_negative"),
        CheckConstraint(
            "restock_quantity >= 0 AND restock_quantity <= quantity",
            name="restocked_within_quantity",
        ),
        CheckConstraint("order_item_id IS NULL OR product_id IS NULL", name="line_or_product"),
        CheckConstraint(
            "quantity = 0 OR order_item_id IS NOT NULL OR product_id IS NOT NULL",
            name="quantity_is_of_something",
        ),
        CheckConstraint(
            "(product_id IS NULL) = (sku IS NULL) AND (sku IS NULL) = (product_name IS NULL)",
            name="product_has_snapshot",
        ),
        UniqueConstraint("refund_id", "order_item_id"),
        Index(None, "order_item_id"),
        Index(None, "product_id"),
        Index(
            "uq_refund_items_unallocated",
            "refund_id",
            unique=True,
            sqlite_where=_UNALLOCATED,
            postgresql_where=_UNALLOCATED,
        ),
    )

    id: Mapped[PrimaryKey]
    refund_id: Mapped[int] = mapped_column(ForeignKey("refunds.id", ondelete="RESTRICT"))
    order_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("order_items.id", ondelete="RESTRICT")
    )
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    sku: Mapped[str | None] = mapped_column(String(64))
    product_name: Mapped[str | None] = mapped_column(String(200))
    category_id: Mapped[int | None] = mapped_column(BigId)
    category_path: Mapped[str | None] = mapped_column(String(500))
    quantity: Mapped[int]
    amount: Mapped[Money]
    tax_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    restock_quantity: Mapped[int] = mapped_column(default=0)

    refund: Mapped[Refund] = relationship(back_populates="items")
    order_item: Mapped[OrderItem | None] = relationship()
    product: Mapped[Product | None] = relationship()

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_item or self.product_name or 'no line'}"
