"""Why there is as much in stock as there is."""

from __future__ import annotations

from sqlalchemy.orm import joinedload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.picking.picker import Picker
from backoffice.models import OrderItem, Product, StockMovement

PRODUCT_PICKER = Picker(Product, search=("sku", "name"), hint="name")


class StockMovementView(TableView):
    """The stock ledger; nobody changes this, a mistake is put right by an adjustment."""

    model_class = StockMovement
    read = Permission.CATALOGUE_READ

    column_list = (
        "created_at",
        "product",
        "kind",
        "delta",
        "balance_after",
        "reason",
        "actor_name",
    )
    column_details_list = (*column_list, "order_item")
    filters = ("product", "kind")
    column_labels = {
        "created_at": "When",
        "kind": "What",
        "delta": "Change",
        "balance_after": "Stock after",
        "actor_name": "Who",
    }
    eager = (joinedload(StockMovement.product).load_only(Product.sku, Product.name),)
    record_eager = (
        joinedload(StockMovement.order_item).load_only(OrderItem.quantity, OrderItem.product_name),
    )
    pickers = {"product": PRODUCT_PICKER}
