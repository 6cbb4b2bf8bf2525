"""What the shop sells."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, with_expression
from wtforms.validators import NumberRange

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.conditions import When
from backoffice.admin.forms import raised, stripped
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.filters import NamedFilter
from backoffice.admin.picking.picker import Picker
from backoffice.admin.record import Panel
from backoffice.admin.stock import StockChanging
from backoffice.models import Category, OrderItem, Product, Tag
from backoffice.services.bulk_actions import SetValue
from backoffice.services.bulk_relations import LinkRelated, SetRelated
from backoffice.services.deletions import DeleteMany
from backoffice.services.prices import ChangePrice, note_price_change
from backoffice.services.stock_levels import committed_units

_ON: dict[str, Any] = {"model": Product, "permission": Permission.CATALOGUE_WRITE}
_NOT_NEGATIVE = [NumberRange(min=0, message="Zero or more.")]


class ProductView(StockChanging, TableView):
    """Products; stock moves only through services and has no field in the form."""

    details_template = "admin/products/details.html"

    model_class = Product
    read = Permission.CATALOGUE_READ
    write = Permission.CATALOGUE_WRITE

    column_list = ("sku", "name", "category", "price", "stock", "is_available")
    column_details_list = (
        "sku",
        "name",
        "category",
        "price",
        "is_available",
        "unit_cost",
        "low_stock_threshold",
        "tags",
        "description",
        "created_at",
        "updated_at",
    )
    sortable = (
        "sku",
        "name",
        "price",
        "stock",
        ("category", Category.name),
    )
    filters = (
        NamedFilter(
            "low_stock",
            "Low stock",
            sa.and_(Product.stock <= Product.low_stock_threshold, Product.is_available),
        ),
        "is_available",
        "category",
        "price",
        "unit_cost",
        "stock",
    )
    searchable = ("sku", "name")
    column_labels = {"sku": "SKU"}
    column_descriptions = {
        "sku": "Unique; kept in capital letters.",
        "unit_cost": "What one costs the shop; empty when it is not known.",
        "low_stock_threshold": "At this stock or below, the product counts as low.",
        "is_available": "Whether it is offered. What was sold is archived by taking this away.",
    }
    eager = (joinedload(Product.category).load_only(Category.name),)
    groups = {
        "Article": ("sku", "name", "category", "tags", "description"),
        "Price and stock": (
            "price",
            "unit_cost",
            "low_stock_threshold",
            "is_available",
        ),
    }
    panels = (
        Panel("order_items", "product", newest=(OrderItem.order_id.desc(), OrderItem.id.desc())),
        Panel("stock_movements", "product"),
        Panel("price_changes", "product"),
    )
    record_eager = (
        joinedload(Product.tags).load_only(Tag.name),
        with_expression(Product.committed, committed_units(Product.id)),
    )
    pickers = {
        "category": Picker(Category, search=("name",), hint="parent.name", contains=True),
        "tags": Picker(Tag, search=("name",), many=True, contains=True),
    }
    archives = ("is_available", False)
    editable = ("name", "price", "low_stock_threshold", "unit_cost", "is_available")
    bulk_label = ("sku", "name")
    bulk_actions = (
        SetValue(name="publish", label="Publish", column=Product.is_available, value=True, **_ON),
        SetValue(
            name="unpublish", label="Take off sale",
            column=Product.is_available, value=False, **_ON,
        ),
        ChangePrice(
            name="change_price", label="Change price",
            column=Product.price, wants_reason=True,
            model=Product, permission=Permission.PRICE_CHANGE,
        ),
        SetRelated(
            name="set_category", label="Move to category", relation=Product.category, **_ON
        ),
        LinkRelated(name="add_tag", label="Add tag", relation=Product.tags, adds=True, **_ON),
        LinkRelated(
            name="remove_tag", label="Remove tag", relation=Product.tags, adds=False, **_ON
        ),
        DeleteMany(name="delete", label="Delete", wants_reason=True, **_ON),
    )  # fmt: skip
    conditions = {
        "low_stock_threshold": When(
            "is_available", (True,), "Used only while the product is available."
        )
    }
    form_columns = (
        "sku",
        "name",
        "description",
        "category",
        "tags",
        "price",
        "unit_cost",
        "low_stock_threshold",
        "is_available",
    )
    form_args: dict[str, Any] = {
        "sku": {"filters": [stripped, raised]},
        "name": {"filters": [stripped]},
        "price": {"validators": _NOT_NEGATIVE},
        "unit_cost": {"validators": _NOT_NEGATIVE},
        "low_stock_threshold": {"validators": _NOT_NEGATIVE},
    }

    @property
    def editable_cells(self) -> tuple[str, ...]:
        """The cells that this person may edit; prices have a permission of their own."""
        cells: tuple[str, ...] = super().editable_cells
        may = current_actor().can(Permission.PRICE_CHANGE)
        return cells if may else tuple(name for name in cells if name != "price")

    def edit_form(self, obj: Any = None) -> Any:
        """Return the form; a price is not read from those who may not change prices."""
        form = super().edit_form(obj)
        if not current_actor().can(Permission.PRICE_CHANGE):
            form.price.process(None, data=obj.price)
            form.price.render_kw = {"readonly": True}
            form.price.description = "Your role may not change prices."
        return form

    def check(self, session: Session, record: Any) -> None:
        """Keep a price that is replaced in the history of prices."""
        note_price_change(session, current_actor(), record)
