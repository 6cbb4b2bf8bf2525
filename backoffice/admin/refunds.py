"""Money that went back to customers."""

from __future__ import annotations

from sqlalchemy.orm import joinedload, selectinload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.payments import ORDER_PICKER
from backoffice.models import Order, Payment, Refund, RefundItem


class RefundView(TableView):
    """Refunds and imported credit notes; they are made only through services."""

    model_class = Refund
    read = Permission.ORDER_READ

    column_list = ("number", "order", "kind", "status", "amount", "processed_on")
    currency = "currency"
    column_details_list = (
        *column_list,
        "currency",
        "payment",
        "shipping_amount",
        "tax_amount",
        "reason",
        "note",
        "actor_name",
        "created_at",
        "processed_at",
    )
    sortable = ("number",)
    filters = ("order", "status", "kind", "processed_on")
    searchable = ("number",)
    column_labels = {"actor_name": "Made by", "processed_on": "Processed"}
    eager = (joinedload(Refund.order).load_only(Order.number),)
    record_eager = (
        joinedload(Refund.payment).load_only(Payment.provider, Payment.provider_ref),
        selectinload(Refund.items).joinedload(RefundItem.order_item),
    )
    details_template = "admin/refunds/details.html"
    pickers = {"order": ORDER_PICKER}
    groups = {
        "Refund": ("number", "kind", "order", "payment", "status", "reason", "note"),
        "Amounts": ("amount", "shipping_amount", "tax_amount", "currency"),
        "Course": ("actor_name", "created_at", "processed_at", "processed_on"),
    }
