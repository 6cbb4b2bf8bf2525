"""What customers bought."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import joinedload
from wtforms.validators import Email

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.customers import CustomerFilter
from backoffice.admin.forms import lowered, stripped
from backoffice.admin.guards import current_actor
from backoffice.admin.order_acting import OrderActing
from backoffice.admin.order_acts import acts_of
from backoffice.admin.order_steps import shop
from backoffice.admin.order_timeline import timeline_of
from backoffice.admin.picking.picker import Picker
from backoffice.db import db
from backoffice.models import Order, OrderItem, Product, User
from backoffice.models.states import fulfilment_state, payment_state
from backoffice.services.bulk_cancelling import CancelMany


class OrderView(OrderActing, TableView):
    """Orders; status and amounts change only through services, and nothing is deleted."""

    model_class = Order
    read = Permission.ORDER_READ
    write = Permission.ORDER_WRITE
    creates = False
    deletes = False

    column_list = ("number", "placed_at", "user", "country", "status", "total_amount")
    currency = "currency"
    column_details_list = (
        *column_list,
        "currency",
        "email",
        "customer_name",
        "address",
        "subtotal_amount",
        "discount_amount",
        "shipping_amount",
        "tax_amount",
        "paid_at",
        "shipped_at",
        "completed_at",
        "cancelled_at",
        "cancel_reason",
    )
    sortable = (
        "number",
        "placed_at",
        "status",
        "total_amount",
        "country",
        "paid_on",
        ("user", User.username),
    )
    default_order = "-placed_at"
    filters = (
        "status",
        "placed_at",
        "paid_on",
        "total_amount",
        "country",
        CustomerFilter("user", "Customer", Order.user_id, is_nullable=True),
    )
    searchable = ("number", "email")
    column_labels = {"user": "Customer", "total_amount": "Total", "email": "E-mail"}
    eager = (joinedload(Order.user).load_only(User.username),)
    pickers = {
        "user": Picker(
            User, search=("username", "email"), hint="email", read=Permission.CUSTOMER_READ
        )
    }
    details_template = "admin/orders/details.html"
    bulk_label = ("number",)
    bulk_actions = (
        CancelMany(
            name="cancel",
            label="Cancel",
            model=Order,
            permission=Permission.ORDER_CANCEL,
            wants_reason=True,
            shop=shop,
        ),
    )
    record_eager = (joinedload(Order.payments),)
    groups = {
        "Order": ("number", "placed_at", "status", "country"),
        "Customer": ("user", "customer_name", "email", "address"),
        "Amounts": (
            "subtotal_amount",
            "discount_amount",
            "shipping_amount",
            "tax_amount",
            "total_amount",
            "currency",
        ),
        "Course": ("paid_at", "shipped_at", "completed_at", "cancelled_at", "cancel_reason"),
    }
    form_columns = ("email", "customer_name", "address", "country")
    form_args: dict[str, Any] = {
        "email": {
            "filters": [stripped, lowered],
            "validators": [Email("Enter an e-mail address.")],
        },
        "customer_name": {"filters": [stripped]},
    }

    def facts_of(self, record: Any) -> dict[str, Any]:
        """Return what can be done with the order, its three states and its timeline."""
        actor = current_actor()
        return {
            "acts": acts_of(actor, record),
            "payment": payment_state(record.total_amount, record.payments),
            "fulfilment": fulfilment_state(record.items),
            "may_refund": actor.can(Permission.ORDER_REFUND),
            "may_note": actor.can(Permission.ORDER_WRITE),
            "may_see_customer": actor.can(Permission.CUSTOMER_READ),
            "timeline": timeline_of(
                db.session(), record, with_edits=actor.can(Permission.AUDIT_READ)
            ),
        }

    def history_of(self, record: Any) -> None:
        """Return nothing: an order's edits are in its timeline."""


class OrderItemView(TableView):
    """The lines of all orders, as they were sold."""

    model_class = OrderItem
    read = Permission.ORDER_READ

    currency = "order.currency"
    column_list = ("order", "sku", "product_name", "quantity", "unit_price", "line_total")
    column_details_list = (
        *column_list,
        "category_path",
        "unit_cost",
        "discount_amount",
        "tax_amount",
        "quantity_shipped",
        "quantity_cancelled",
        "quantity_refunded",
    )
    # No more: every order and every filter of so long a table wants an index of its own.
    filters = ("product",)
    column_labels = {"sku": "SKU"}
    eager = (joinedload(OrderItem.order).load_only(Order.number, Order.currency),)
    pickers = {"product": Picker(Product, search=("sku", "name"), hint="name")}
