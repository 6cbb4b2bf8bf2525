"""What customers bought."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, Money, PrimaryKey, Timestamped, UtcDateTime, text_enum

if TYPE_CHECKING:
    from backoffice.models.order_events import OrderEvent
    from backoffice.models.order_items import OrderItem
    from backoffice.models.payments import Payment
    from backoffice.models.refunds import Refund
    from backoffice.models.users import User


class OrderStatus(StrEnum):
    """How far an order has come; payment and fulfilment badges are derived, not stored."""

    PENDING = "pending"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


_OPEN = text("status IN ('pending', 'paid', 'processing')")


class Order(Timestamped, Base):
    """A customer's order; `status` and amounts change only through services.

    `placed_on` and `paid_on` are the days in the shop's zone, computed once: money is reported by
    `paid_on`. A guest's order has no user; an imported guest has no e-mail either.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint("subtotal_amount >= 0", name="subtotal_not_negative"),
        CheckConstraint("discount_amount >= 0", name="discount_not_negative"),
        CheckConstraint("shipping_amount >= 0", name="shipping_not_negative"),
        CheckConstraint("tax_amount >= 0", name="tax_not_negative"),
        CheckConstraint("total_amount >= 0 AND total_amount <> 'NaN'", name="total_not_negative"),
        # The half-cent is for SQLite, whose numbers are binary; on exact numbers it means equal.
        CheckConstraint(
            "abs(total_amount - (subtotal_amount - discount_amount + shipping_amount + tax_amount))"
            " < 0.005",
            name="total_is_sum_of_parts",
        ),
        CheckConstraint("paid_at >= placed_at", name="paid_after_placed"),
        CheckConstraint("(paid_at IS NULL) = (paid_on IS NULL)", name="paid_day_with_moment"),
        CheckConstraint(
            "shipped_at IS NULL OR (paid_at IS NOT NULL AND shipped_at >= paid_at)",
            name="shipped_after_paid",
        ),
        CheckConstraint(
            "completed_at IS NULL OR (paid_at IS NOT NULL AND completed_at >= paid_at)",
            name="completed_after_paid",
        ),
        CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_moment"
        ),
        CheckConstraint(
            "cancelled_at IS NULL OR cancel_reason IS NOT NULL", name="cancelled_has_reason"
        ),
        CheckConstraint(
            "status NOT IN ('paid', 'processing', 'shipped', 'completed') OR paid_at IS NOT NULL",
            name="paid_states_have_payment",
        ),
        Index(None, "placed_at", "id"),
        Index(None, "status", "placed_at", "id"),
        Index(
            "ix_orders_revenue",
            "paid_on",
            "id",
            postgresql_include=["currency", "subtotal_amount", "discount_amount"],
        ),
        Index(None, "status", "id"),
        Index(None, "country", "id"),
        Index(None, "total_amount", "id"),
        Index(None, "user_id", "placed_at"),
        # An address is looked for from its beginning.
        Index("ix_orders_email_prefix", "email", postgresql_ops={"email": "text_pattern_ops"}),
        Index("ix_orders_open", "placed_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    email: Mapped[str | None] = mapped_column(String(254))
    customer_name: Mapped[str | None] = mapped_column(String(200))
    address: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(String(80))
    currency: Mapped[str] = mapped_column(CHAR(3))
    subtotal_amount: Mapped[Money]
    discount_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    shipping_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    tax_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    total_amount: Mapped[Money]
    status: Mapped[OrderStatus] = mapped_column(
        text_enum(OrderStatus, "status"), default=OrderStatus.PENDING
    )
    placed_at: Mapped[UtcDateTime]
    placed_on: Mapped[date]
    paid_at: Mapped[UtcDateTime | None]
    paid_on: Mapped[date | None]
    shipped_at: Mapped[UtcDateTime | None]
    completed_at: Mapped[UtcDateTime | None]
    cancelled_at: Mapped[UtcDateTime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(500))
    idempotency_key: Mapped[str | None] = mapped_column(String(100), unique=True)
    version: Mapped[int] = mapped_column()

    user: Mapped[User | None] = relationship(back_populates="orders")
    items: Mapped[list[OrderItem]] = relationship(
        back_populates="order", cascade="all, delete-orphan", order_by="OrderItem.id"
    )
    payments: Mapped[list[Payment]] = relationship(
        back_populates="order", order_by="Payment.id", passive_deletes="all"
    )
    refunds: Mapped[list[Refund]] = relationship(
        back_populates="order", order_by="Refund.id", passive_deletes="all"
    )
    events: Mapped[list[OrderEvent]] = relationship(
        back_populates="order", order_by="OrderEvent.id", passive_deletes="all"
    )

    __mapper_args__ = {"version_id_col": version}

    def __str__(self) -> str:
        return self.number
