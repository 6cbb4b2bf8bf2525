"""Money that customers paid."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, Money, PrimaryKey, Timestamped, UtcDateTime, text_enum

if TYPE_CHECKING:
    from backoffice.models.orders import Order
    from backoffice.models.refunds import Refund

# The provider of what was paid outside of the console; its reference is the order's number.
EXTERNAL = "external"


class PaymentStatus(StrEnum):
    """How far a payment has come; what was given back are amounts, not a status."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"


_OPEN = text("status IN ('pending', 'authorized')")
_REFUNDING = text("refund_pending_amount > 0")


class Payment(Timestamped, Base):
    """One payment for an order, in the order's currency; amounts change only through services.

    A refund first reserves its amount in `refund_pending_amount`, which moves to `refunded_amount`
    when the money has gone.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0 AND amount <> 'NaN'", name="amount_positive"),
        # Half-cents, here and below, are for SQLite, whose numbers are binary.
        CheckConstraint(
            "captured_amount >= 0 AND captured_amount < amount + 0.005",
            name="captured_within_amount",
        ),
        CheckConstraint(
            "refund_pending_amount >= 0 AND refunded_amount >= 0"
            " AND refund_pending_amount + refunded_amount < captured_amount + 0.005",
            name="refunds_within_captured",
        ),
        CheckConstraint(
            "(status = 'captured') = (captured_amount > 0)", name="captured_has_amount"
        ),
        CheckConstraint(
            "(status = 'captured') = (captured_at IS NOT NULL)", name="captured_has_moment"
        ),
        UniqueConstraint("provider", "provider_ref"),
        Index(None, "order_id"),
        Index("ix_payments_open", "created_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "ix_payments_refunding",
            "order_id",
            sqlite_where=_REFUNDING,
            postgresql_where=_REFUNDING,
        ),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    provider: Mapped[str] = mapped_column(String(40))
    provider_ref: Mapped[str] = mapped_column(String(100))
    status: Mapped[PaymentStatus] = mapped_column(
        text_enum(PaymentStatus, "status"), default=PaymentStatus.PENDING
    )
    amount: Mapped[Money]
    captured_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    refund_pending_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    refunded_amount: Mapped[Money] = mapped_column(default=Decimal(0))
    captured_at: Mapped[UtcDateTime | None]

    order: Mapped[Order] = relationship(back_populates="payments")
    refunds: Mapped[list[Refund]] = relationship(
        back_populates="payment", order_by="Refund.id", passive_deletes="all"
    )

    @property
    def refundable_amount(self) -> Decimal:
        """What can still be given back."""
        return self.captured_amount - self.refunded_amount - self.refund_pending_amount

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_ref}"
