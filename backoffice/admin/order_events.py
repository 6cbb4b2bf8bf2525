"""What happened to orders."""

from __future__ import annotations

from sqlalchemy.orm import joinedload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.payments import ORDER_PICKER
from backoffice.models import Order, OrderEvent


class OrderEventView(TableView):
    """The timelines of all orders; nobody changes this."""

    model_class = OrderEvent
    read = Permission.ORDER_READ

    column_list = (
        "created_at",
        "order",
        "kind",
        "from_status",
        "to_status",
        "body",
        "actor_name",
    )
    column_details_list = (*column_list, "data")
    filters = ("order", "kind")
    column_labels = {
        "created_at": "When",
        "kind": "What",
        "from_status": "From",
        "to_status": "To",
        "body": "Note",
        "actor_name": "Who",
    }
    eager = (joinedload(OrderEvent.order).load_only(Order.number),)
    pickers = {"order": ORDER_PICKER}
