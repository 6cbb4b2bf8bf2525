"""The page of one record: its facts in groups, what belongs to it, and its past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import request
from flask_admin import expose
from flask_admin.helpers import get_redirect_target

from backoffice.access import Permission
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.counting import CAP, Count
from backoffice.db import Base, db
from backoffice.models import ChangeSet
from backoffice.services.history import change_sets_of

NEWEST = 10


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows of another list that belong to a record: those that its filter leads to.

    `key` is the attribute of the record that the filter is set to. `newest` is the ORDER BY, by
    default the list's own; it should be one that an index answers behind the filter.
    """

    endpoint: str
    filter: str
    key: str = "id"
    newest: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class PanelRows:
    """The newest rows of a panel, and where all of them are."""

    view: Any
    rows: list[Any]
    count: Count
    columns: list[str]
    url: str


@dataclass(frozen=True, slots=True)
class History:
    """The newest change sets of a record, and where all of them are."""

    change_sets: Sequence[ChangeSet]
    has_more: bool
    url: str


class Recording:
    """The part of a table's view that shows one record."""

    model_class: ClassVar[type[Base]]
    # {title: names}: how facts and form fields are grouped; what is in none comes last.
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}
    panels: ClassVar[tuple[Panel, ...]] = ()
    # Of the views that this is mixed into.
    admin: Any
    column_details_list: Any
    form_columns: Any
    details_template: str
    get_detail_value: Any
    get_one: Any
    get_url: Any
    render: Any
    _details_columns: Any

    def prepare_record(self) -> None:
        """Raise TypeError for a group of what is neither shown nor edited."""
        known = {*self.column_details_list, *self.form_columns}
        unknown = {name for names in self.groups.values() for name in names} - known
        if unknown:
            raise TypeError(f"{type(self).__name__}.groups: {', '.join(sorted(unknown))}?")

    def sections(self, names: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Return [(title, names)], in the order of the groups; without groups, one of no title."""
        rest = list(names)
        found = []
        for title, members in self.groups.items():
            found.append((title, [name for name in members if name in rest]))
            rest = [name for name in rest if name not in members]
        found.append(("More" if self.groups else "", rest))
        return [section for section in found if section[1]]

    @expose("/details/")
    def details_view(self) -> Any:
        """Show one record."""
        return self.record_page(self.get_one(request.args.get("id", "")))

    def record_page(self, record: Any, **more: Any) -> Any:
        """Return the page of a record; `more` are values for its template."""
        return self.render(
            self.details_template,
            model=record,
            labels=dict(self._details_columns),
            get_value=self.get_detail_value,
            return_url=get_redirect_target() or self.get_url(".index_view"),
            panels=self.panels_of(record),
            history=self.history_of(record),
            **self.facts_of(record),
            **more,
        )

    def facts_of(self, record: Any) -> dict[str, Any]:
        """Return what else a record's own template shows."""
        return {}

    def panels_of(self, record: Any) -> list[PanelRows]:
        """Return the panels that this person may see: one statement each."""
        views = {view.endpoint: view for view in self.admin._views}  # noqa: SLF001
        allowed = [panel for panel in self.panels if views[panel.endpoint].is_accessible()]
        return [_read(panel, views[panel.endpoint], record) for panel in allowed]

    def history_of(self, record: Any) -> History | None:
        """Return the record's past for those who may read the change log: one statement."""
        if not current_actor().can(Permission.AUDIT_READ) or isinstance(record, ChangeSet):
            return None
        made = change_sets_of(db.session(), record, limit=NEWEST + 1)
        log = self.get_url(
            "change_sets.index_view", table_name=record.__tablename__, record_id=record.id
        )
        return History(made[:NEWEST], len(made) > NEWEST, log)


def _read(panel: Panel, view: Any, record: Any) -> PanelRows:
    (asked,) = (one for one in view.all_filters if one.name == panel.filter)
    key = getattr(record, panel.key)
    matching = view.scope().where(asked.holds(key))
    # Bounded by rows: the filter is answered by an index.
    some = matching.with_only_columns(view.model.id).limit(CAP + 1).subquery()
    total = sa.select(sa.func.count()).select_from(some).scalar_subquery()
    newest = panel.newest or view.orders[view.default_order].clauses()
    statement = matching.add_columns(total).options(*view.eager).order_by(*newest).limit(NEWEST)
    found = db.session.execute(statement).unique().all()
    number = found[0][1] if found else 0
    return PanelRows(
        view,
        [row[0] for row in found],
        Count(min(number, CAP), is_exact=number <= CAP, is_capped=number > CAP),
        [name for name in view.column_list if name != panel.filter],
        view.get_url(f"{view.endpoint}.index_view", **{panel.filter: key}),
    )
