"""What products cost before."""

from __future__ import annotations

from sqlalchemy.orm import joinedload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.stock_movements import PRODUCT_PICKER
from backoffice.models import PriceChange, Product


class PriceChangeView(TableView):
    """The past of prices; nobody changes this."""

    model_class = PriceChange
    read = Permission.CATALOGUE_READ

    column_list = ("created_at", "product", "old_price", "new_price", "reason", "actor_name")
    column_details_list = (*column_list, "batch_id")
    filters = ("product",)
    column_labels = {"created_at": "When", "actor_name": "Who", "batch_id": "Batch"}
    eager = (joinedload(PriceChange.product).load_only(Product.sku, Product.name),)
    pickers = {"product": PRODUCT_PICKER}
