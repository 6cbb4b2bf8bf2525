"""Deleting a record, after having seen what goes along, what is kept and what forbids it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_admin.helpers import get_redirect_target
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backoffice.admin.dependents import count_dependents
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.counting import Count
from backoffice.admin.reverting import Reverting
from backoffice.admin.writing import noun
from backoffice.db import Base, db, utc_now
from backoffice.errors import StaleRecordError
from backoffice.services import audit
from backoffice.services.deletions import GOES, Dependents
from backoffice.services.locks import lock_row

_STALE = "Somebody else has changed this record since you looked at it. Nothing was done."


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a deletion does to how many rows, and the list of them if there is one to see."""

    words: str
    rule: str
    count: Count
    url: str | None


class Deleting(Reverting):
    """The part of a table's view that deletes, or archives what must stay.

    One line of descent, since Flask-Admin copies exposed methods to every subclass: of two
    branches, the first would bring back the stock method that the second replaced.
    """

    # (column, value): what is set on a record that is no longer wanted but must be kept.
    archives: ClassVar[tuple[str, Any] | None] = None
    delete_template = "admin/table/delete.html"

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> Any:
        """Show what a deletion does; delete when that is confirmed."""
        if request.method == "POST":
            answer = super().delete_view()
            key = request.form.get("id", "")
            if g.get("is_deleted") or not key:
                return answer
            return redirect(self.get_url(".delete_view", id=key, url=get_redirect_target()))
        record = self.get_one(request.args.get("id", ""))
        return self.render(
            self.delete_template,
            model=record,
            consequences=self.consequences(record),
            is_archived=self._is_archived(record),
            return_url=get_redirect_target() or self.get_url(".index_view"),
        )

    def consequences(self, record: Any) -> list[Consequence]:
        """Return what the deletion of a record does to others."""
        views = {view.model.__table__: view for view in self.admin._views if hasattr(view, "model")}  # noqa: SLF001
        return [
            Consequence(
                _words(one, views.get(one.table), is_single=str(count) == "1"),
                one.rule,
                count,
                self._list_of(one, record, views),
            )
            for one, count in count_dependents(db.session(), record)
        ]

    def _list_of(self, one: Dependents, record: Any, views: dict[Any, Any]) -> str | None:
        view = views.get(one.table)
        if view is None or not one.is_direct or not view.is_accessible():
            return None
        for asked in view.filter_list:
            columns = getattr(getattr(asked.attribute, "property", None), "columns", [None])
            if columns[0] is one.column:
                return str(view.get_url(f"{view.endpoint}.index_view", **{asked.name: record.id}))
        return None

    def delete_model(self, model: Any) -> bool:
        """Delete the row; False when something still needs it, or it is not the one looked at."""

        def delete(session: Session) -> None:
            if request.form.get("row_version") != str(model.version):
                raise StaleRecordError(_STALE)
            lost = {
                one.table.name: str(count)
                for one, count in count_dependents(session, model)
                if one.rule == GOES
            }
            audit.record(
                session,
                current_actor(),
                self._action("delete"),
                model,
                changes=audit.snapshot(model),
                details={"went_along": lost} if lost else None,
            )
            session.delete(model)

        try:
            g.is_deleted = self._write((), delete)
        except (StaleRecordError, StaleDataError):
            flash(_STALE, "danger")
            return False
        return bool(g.is_deleted)

    def _is_archived(self, record: Any) -> bool:
        return bool(self.archives and getattr(record, self.archives[0]) == self.archives[1])

    @expose("/archive/", methods=("POST",))
    def archive_view(self) -> Any:
        """Set aside what cannot be deleted."""
        if self.archives is None:
            abort(404)
        record = self.get_one(request.form.get("id", ""))
        key, (column, value) = record.id, self.archives

        def archive(session: Session) -> None:
            record: Any = lock_row(session, self.model, key)
            if request.form.get("row_version") != str(record.version):
                raise StaleRecordError(_STALE)
            setattr(record, column, value)
            changes = audit.differences(session, record)
            if changes:
                record.updated_at = utc_now()
                action = self._action("archive")
                audit.record(session, current_actor(), action, record, changes=changes)

        try:
            if self._write([], archive):
                flash(f"This {self.singular} is archived.", "success")
        except StaleRecordError as error:
            flash(str(error), "danger")
        return redirect(self.get_url(".details_view", id=key))


def _words(one: Dependents, view: Any, *, is_single: bool) -> str:
    """Return what the rows are called; rows that only link, by what they link to."""
    if view is not None:
        return str(view.singular if is_single else view.name.lower())
    targets = {fk.column.table.name for fk in one.table.foreign_keys if fk.parent is not one.column}
    if "id" not in one.table.columns and targets:
        return f"{'link' if is_single else 'links'} to {' and '.join(sorted(targets))}"
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return noun(models[one.table]) if is_single else one.table.name.replace("_", " ")
