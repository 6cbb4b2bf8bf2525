"""The change log."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.listing.filters import ExactFilter
from backoffice.db import db
from backoffice.models import Change, ChangeSet

SHOWN = 100


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

    def changes_of(self, made: ChangeSet) -> list[Change]:
        """Return the first changes of a change set, one more than `SHOWN`; a plan has many."""
        mine = sa.select(Change).where(Change.change_set_id == made.id)
        return list(db.session.scalars(mine.order_by(Change.id).limit(SHOWN + 1)))

    def list_of(self, made: ChangeSet) -> str | None:
        """Return where the records of a change set are listed."""
        views = (view for view in self.admin._views if isinstance(view, TableView))  # noqa: SLF001
        return next((v.endpoint for v in views if v.model.__tablename__ == made.table_name), None)
