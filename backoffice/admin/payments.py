"""Money that customers paid."""

from __future__ import annotations

from sqlalchemy.orm import joinedload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.picking.picker import Picker
from backoffice.models import Order, Payment

ORDER_PICKER = Picker(Order, search=("number",))


class PaymentView(TableView):
    """Payments; amounts and states change only through services."""

    model_class = Payment
    read = Permission.ORDER_READ

    currency = "order.currency"
    column_list = (
        "provider_ref",
        "order",
        "status",
        "amount",
        "captured_amount",
        "refunded_amount",
        "captured_at",
    )
    column_details_list = (*column_list, "provider", "refund_pending_amount", "created_at")
    filters = ("order", "status")
    column_labels = {
        "provider_ref": "Reference",
        "captured_amount": "Captured",
        "refund_pending_amount": "Refund under way",
        "refunded_amount": "Refunded",
    }
    column_descriptions = {
        "provider": "Who took the money; external is what was paid outside of the console.",
    }
    eager = (joinedload(Payment.order).load_only(Order.number, Order.currency),)
    pickers = {"order": ORDER_PICKER}
    groups = {
        "Payment": ("provider_ref", "provider", "order", "status"),
        "Amounts": ("amount", "captured_amount", "refund_pending_amount", "refunded_amount"),
        "Course": ("created_at", "captured_at"),
    }
