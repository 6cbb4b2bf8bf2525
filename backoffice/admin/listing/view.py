"""The list of a table: one page of rows, found by position, with a count that never blocks it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import current_app, redirect, request
from flask_admin import expose
from sqlalchemy.orm import InstrumentedAttribute
from werkzeug.datastructures import MultiDict

from backoffice.admin.formatters import viewer_zone
from backoffice.admin.listing.build import build_filter
from backoffice.admin.listing.columns import sort_column
from backoffice.admin.listing.counting import Count, count_rows, count_table
from backoffice.admin.listing.filters import Filter, Viewer, matches
from backoffice.admin.listing.keyset import Cursors, Order
from backoffice.admin.listing.planning import planned_for_values
from backoffice.admin.listing.state import ListState, read_state
from backoffice.admin.masking import is_hidden
from backoffice.db import Base, db

PAGE_SIZE = 50


@dataclass(slots=True)
class ListPage:
    """Some rows of a list, and the positions of the pages beside them."""

    rows: list[Any]
    count: Count
    previous: str | None
    next: str | None


class Listing:
    """The part of a table's view that lists: what is declared here is all that a URL can ask."""

    model_class: ClassVar[type[Base]]
    filters: ClassVar[tuple[str | Filter, ...]] = ()
    default_order: ClassVar[str] = "-id"
    sortable: ClassVar[tuple[Any, ...]] = ()
    searchable: ClassVar[tuple[str, ...]] = ()
    eager: ClassVar[tuple[Any, ...]] = ()
    # Flask-Admin's view, which this is mixed into, has these.
    endpoint: str
    list_template: str
    get_column_name: Any
    get_url: Any
    render: Any
    saved_views: Any
    default_view: Any
    name_chosen: Any

    def prepare_list(self) -> None:
        """Resolve what the view declares; raise TypeError for what cannot work."""
        model: Any = self.model_class
        self.all_orders: dict[str, Order] = {}
        for declared in ("id", *self.sortable):
            column = sort_column(model, declared)
            for order in (Order(column, False, model.id), Order(column, True, model.id)):
                self.all_orders[order.name] = order
        if self.default_order not in self.all_orders:
            raise TypeError(f"{type(self).__name__}.default_order: {self.default_order}?")
        self.all_filters: list[Filter] = [
            declared
            if isinstance(declared, Filter)
            else build_filter(model, declared, self.get_column_name(declared))
            for declared in self.filters
        ]

    @property
    def filter_list(self) -> list[Filter]:
        """The filters that this person may set."""
        return [one for one in self.all_filters if not is_hidden(one.attribute)]

    @property
    def orders(self) -> dict[str, Order]:
        """The orders that this person may ask for: rows in order tell what is hidden in them."""
        return {n: o for n, o in self.all_orders.items() if not is_hidden(o.column.attribute)}

    @property
    def search_columns(self) -> list[InstrumentedAttribute[str]]:
        """The columns that this person may search in."""
        model: Any = self.model_class
        return [c for name in self.searchable if not is_hidden(c := getattr(model, name))]

    def scope(self) -> sa.Select[Any]:
        """Return the rows that this person may know of: everything starts here."""
        return sa.select(self.model_class)

    def list_state(self, arguments: MultiDict[str, str] | None = None) -> ListState:
        """Return what the arguments, by default the request's, ask this list for."""
        zone = viewer_zone()
        viewer = Viewer(zone, datetime.now(zone).date())
        default = self.orders[self.default_order]
        asked = request.args if arguments is None else arguments
        return read_state(asked, self.filter_list, self.orders, default, viewer)

    def narrowed(self, state: ListState) -> sa.Select[Any]:
        """Return the rows in scope that match the search and all filters, in no order."""
        statement = self.scope()
        for filter_, terms in state.terms.items():
            statement = statement.where(filter_.combine(terms))
        for word in state.search.split()[:8]:
            found = [matches(column, word) for column in self.search_columns]
            statement = statement.where(sa.or_(sa.false(), *found))
        return statement

    def statement(self, state: ListState) -> sa.Select[Any]:
        """Return all rows that the list would show, in its order: what an export takes."""
        rows, order = self.narrowed(state), state.order
        if order.column.relation is not None:
            rows = rows.outerjoin(order.column.relation)
        return rows.order_by(*order.clauses())

    def page(self, state: ListState) -> ListPage:
        """Read one page: two statements, whatever the length of the list."""
        cursors = Cursors(current_app.secret_key, self.endpoint)  # type: ignore[arg-type]
        reverse = bool(state.before) or state.at_end
        text = state.before or state.after
        position = cursors.read(state.order, text) if text else None
        if text and position is None:
            state.notices.append("That position is no more; this is the beginning.")
            reverse = False
        rows = self.narrowed(state)
        statement = state.order.page(
            rows, position, PAGE_SIZE + 1, reverse=reverse, has_empty=state.has_empty
        )
        # What is asked for decides how it is best found; the whole list is found one way.
        session = db.session()
        with planned_for_values(session) if state.is_narrowed else nullcontext():
            found = self._read(statement)
        more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
        if reverse:
            found.reverse()
        before = more if reverse else position is not None
        after = (position is not None) if reverse else more

        def edge(row: Any) -> str:
            return cursors.write(state.order, (row.sort_value, row.sort_key))

        return ListPage(
            [row[0] for row in found],
            self._count(state, found, is_all=not before and not after),
            edge(found[0]) if found and before else None,
            edge(found[-1]) if found and after else None,
        )

    def _read(self, statement: sa.Select[Any]) -> list[Any]:
        """Read the rows with their positions, and let go of them: nothing is loaded later."""
        found = list(db.session.execute(statement.options(*self.eager)).unique())
        db.session.expunge_all()
        return found

    def _count(self, state: ListState, found: list[Any], *, is_all: bool) -> Count:
        if is_all:
            return Count(len(found))
        if state.is_narrowed or type(self).scope is not Listing.scope:
            with planned_for_values(db.session()):
                return count_rows(db.session(), self.narrowed(state))
        return count_table(db.session(), self.model_class)

    @expose("/")
    def index_view(self) -> Any:
        """Show one page of the list."""
        views = self.saved_views()
        default = self.default_view(views)
        if default is not None and not request.args:
            return redirect(f"{self.get_url('.index_view')}?{default.query}&view={default.id}")
        state = self.list_state()
        self.name_chosen(state)
        page = self.page(state)
        if not page.rows and (state.after or state.before) and not state.notices:
            return redirect(f"{self.get_url('.index_view')}?{state.query()}")
        return self.render(self.list_template, state=state, page=page, views=views)
