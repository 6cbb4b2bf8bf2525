"""Free labels for products."""

from __future__ import annotations

from typing import Any

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.forms import stripped
from backoffice.models import Tag
from backoffice.services.deletions import DeleteMany


class TagView(TableView):
    """Tags; deleting one takes it off its products."""

    model_class = Tag
    read = Permission.CATALOGUE_READ
    write = Permission.CATALOGUE_WRITE

    column_list = ("name", "updated_at")
    column_details_list = (*column_list, "created_at")
    sortable = ("name", "updated_at")
    default_order = "name"
    filters = ("updated_at",)
    searchable = ("name",)
    bulk_label = ("name",)
    bulk_actions = (
        DeleteMany(
            name="delete",
            label="Delete",
            model=Tag,
            permission=Permission.CATALOGUE_WRITE,
            wants_reason=True,
        ),
    )
    form_columns = ("name",)
    form_args: dict[str, Any] = {"name": {"filters": [stripped]}}
