"""What a person makes of a list: its columns, and questions kept under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import sqlalchemy as sa
from flask import flash, g, redirect, request
from flask_admin import expose
from werkzeug.datastructures import MultiDict

from backoffice.access import Permission, Role
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.state import ListState
from backoffice.admin.picking.picker import is_key
from backoffice.db import Base, db
from backoffice.errors import BackofficeError, InputError
from backoffice.models import SavedView
from backoffice.services.preferences import set_preference
from backoffice.services.saved_views import delete_view, save_view, views_for


class Choosing:
    """The part of a table's view that remembers, for this person, how they look at it."""

    model_class: ClassVar[type[Base]]
    column_list: Any
    column_details_list: Any
    endpoint: str
    get_column_name: Any
    get_url: Any
    list_state: Callable[..., ListState]

    def choosable_columns(self) -> list[tuple[str, str]]:
        """Return the columns that a list may show: its own, and the record's plain ones."""
        plain = sa.inspect(self.model_class).column_attrs.keys()
        more = [name for name in self.column_details_list if name in plain]
        names = dict.fromkeys([*self.column_list, *more])
        return [(name, self.get_column_name(name)) for name in names]

    def shown_columns(self) -> list[tuple[str, str]]:
        """Return the columns that this person has chosen, else the view's own, in its order."""
        chosen = g.get("preferences", {}).get(self._columns_key)
        wanted = set(chosen if isinstance(chosen, list) else self.column_list)
        shown = [column for column in self.choosable_columns() if column[0] in wanted]
        return shown or [(name, self.get_column_name(name)) for name in self.column_list]

    @property
    def _columns_key(self) -> str:
        return f"list.{self.endpoint}.columns"

    def saved_views(self) -> list[SavedView]:
        """Return the questions that this person may find again, pinned ones first."""
        found = views_for(db.session(), current_actor(), self.model_class.__tablename__)
        db.session.expunge_all()
        return found

    @staticmethod
    def default_view(views: list[SavedView]) -> SavedView | None:
        """Return the view that a role's list opens with."""
        role = current_actor().role
        return next((view for view in views if view.is_default and view.role == role), None)

    @expose("/columns/", methods=("POST",))
    def choose_columns(self) -> Any:
        """Remember which columns this person wants; none of them, or "reset", means the usual."""
        names = [name for name, _ in self.choosable_columns()]
        chosen = [name for name in names if name in request.form.getlist("column")]
        keep = chosen if chosen and "reset" not in request.form else None
        set_preference(current_actor(), self._columns_key, keep)
        return self._back()

    @expose("/views/", methods=("POST",))
    def keep_view(self) -> Any:
        """Keep the question under a name, for oneself or shared with a role."""
        form = request.form
        try:
            view = save_view(
                current_actor(),
                table_name=self.model_class.__tablename__,
                name=form.get("name", ""),
                query=self._known_query(form.get("query", "")),
                role=_role(form.get("role", "")),
                is_pinned="is_pinned" in form,
                is_default="is_default" in form,
            )
        except BackofficeError as error:
            flash(str(error), "danger")
            return self._back()
        flash(f"The view “{view.name}” is saved.", "success")
        return redirect(f"{self.get_url('.index_view')}?{view.query}&view={view.id}")

    def _known_query(self, query: str) -> str:
        """Return a question that this list can answer, for it may open with it from now on."""
        question = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
        notices = self.list_state(MultiDict(question)).notices
        if notices:
            raise InputError(f"Nothing was saved. {notices[0]}")
        return query

    @expose("/views/delete/", methods=("POST",))
    def forget_view(self) -> Any:
        """Delete a saved view; the rows that it showed stay."""
        key = request.form.get("id", "")
        delete_view(current_actor(), int(key) if is_key(key) else 0)
        flash("The view is deleted.", "success")
        return redirect(f"{self.get_url('.index_view')}?all=")

    def _back(self) -> Any:
        return redirect(request.form.get("url") or self.get_url(".index_view"))

    @property
    def may_share_views(self) -> bool:
        """Whether this person may share a view with a role."""
        return current_actor().can(Permission.VIEW_SHARE)


def _role(text: str) -> Role | None:
    if text and text not in set(Role):
        raise InputError("There is no such role.")
    return Role(text) if text else None
