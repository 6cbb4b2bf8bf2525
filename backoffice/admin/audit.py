"""The change log."""

from __future__ import annotations

from sqlalchemy.orm import selectinload

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.listing.filters import ExactFilter
from backoffice.models import ChangeSet


class ChangeSetView(TableView):
    """Who changed what, when, from where and why; nobody changes this."""

    model_class = ChangeSet
    read = Permission.AUDIT_READ

    column_list = ("created_at", "actor_name", "source", "action", "table_name", "record_label")
    column_details_list = (*column_list, "record_id", "reason", "details")
    sortable = ("created_at",)
    default_order = "-created_at"
    filters = (
        "created_at",
        "actor_name",
        "source",
        "action",
        ExactFilter("table_name", "Table", ChangeSet.table_name),
        "record_id",
    )
    searchable = ("actor_name", "action", "record_label")
    column_labels = {"actor_name": "Who", "created_at": "When", "table_name": "Table"}
    details_template = "admin/audit/details.html"
    record_eager = (selectinload(ChangeSet.changes),)
