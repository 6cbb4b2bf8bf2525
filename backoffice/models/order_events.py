"""What happened to an order."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice.db import Base, PrimaryKey, text_enum
from backoffice.models.append_only import Acted, append_only
from backoffice.models.orders import OrderStatus

if TYPE_CHECKING:
    from backoffice.models.orders import Order


class OrderEventKind(StrEnum):
    """What can happen to an order; a note is an event, too."""

    PLACED = "placed"
    PAYMENT_CAPTURED = "payment_captured"
    STATUS_CHANGED = "status_changed"
    NOTE_ADDED = "note_added"
    ITEM_CANCELLED = "item_cancelled"
    REFUND_REQUESTED = "refund_requested"
    REFUND_SUCCEEDED = "refund_succeeded"
    REFUND_FAILED = "refund_failed"
    RESTOCKED = "restocked"
    SHIPPED = "shipped"
    TRACKING_UPDATED = "tracking_updated"
    ADDRESS_CHANGED = "address_changed"
    EMAIL_SENT = "email_sent"
    IMPORT_TOUCHED = "import_touched"


class OrderEvent(Acted, Base):
    """One entry of an order's timeline, for good: a correction is a new event."""

    __tablename__ = "order_events"
    __table_args__ = (
        CheckConstraint(
            "kind <> 'status_changed' OR (from_status IS NOT NULL AND to_status IS NOT NULL)",
            name="change_has_states",
        ),
        CheckConstraint("kind <> 'note_added' OR body IS NOT NULL", name="note_has_body"),
        Index(None, "order_id", "id"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    kind: Mapped[OrderEventKind] = mapped_column(text_enum(OrderEventKind, "kind"))
    from_status: Mapped[OrderStatus | None] = mapped_column(text_enum(OrderStatus, "from_status"))
    to_status: Mapped[OrderStatus | None] = mapped_column(text_enum(OrderStatus, "to_status"))
    body: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    order: Mapped[Order] = relationship(back_populates="events")

    def __str__(self) -> str:
        return self.kind.replace("_", " ")


append_only(OrderEvent.__table__)  # type: ignore[arg-type]
