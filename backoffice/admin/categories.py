"""The tree that the catalogue hangs on."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session, joinedload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.forms import stripped
from backoffice.admin.parts.declared import Part
from backoffice.admin.picking.picker import Picker
from backoffice.admin.record import Panel
from backoffice.models import Category
from backoffice.services.categories import require_no_cycle
from backoffice.services.deletions import DeleteMany


class CategoryView(TableView):
    """Categories; what still has products or children cannot be deleted."""

    model_class = Category
    read = Permission.CATALOGUE_READ
    write = Permission.CATALOGUE_WRITE

    column_list = ("name", "parent", "updated_at")
    column_details_list = (*column_list, "created_at")
    sortable = ("name", "updated_at")
    default_order = "name"
    filters = ("parent", "updated_at")
    searchable = ("name",)
    eager = (joinedload(Category.parent).load_only(Category.name),)
    pickers = {"parent": Picker(Category, search=("name",), hint="parent.name", contains=True)}
    panels = (Panel("products", "category"), Panel("categories", "parent"))
    parts = (Part("children", "categories", "Subcategories", columns=("name",)),)
    bulk_label = ("name",)
    bulk_actions = (
        DeleteMany(
            name="delete",
            label="Delete",
            model=Category,
            permission=Permission.CATALOGUE_WRITE,
            wants_reason=True,
        ),
    )
    form_columns = ("name", "parent")
    form_args: dict[str, Any] = {"name": {"filters": [stripped]}}

    def check(self, session: Session, record: Category) -> None:
        """Refuse a cycle."""
        require_no_cycle(session, record)
