"""What a table's view knows of the tables that its rows lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import Response, abort, g, jsonify, request
from flask_admin import Admin, expose
from flask_login import current_user
from sqlalchemy.orm import RelationshipProperty

from backoffice.admin.guards import current_actor
from backoffice.admin.listing.columns import attribute_of
from backoffice.admin.listing.filters import RelationFilter
from backoffice.admin.listing.state import ListState
from backoffice.admin.masking import is_masked
from backoffice.admin.parts.bound import fields_of
from backoffice.admin.picking.fields import PickerField
from backoffice.admin.picking.picker import WHOLE, Choice, Picker, is_key
from backoffice.db import Base, db


@dataclass(frozen=True, slots=True)
class Offer:
    """What a form shows of a table to choose from."""

    chosen: list[Choice]
    first: list[Choice]


class Picking:
    """The part of a table's view that lets people choose related rows: `pickers` by relation."""

    model_class: ClassVar[type[Base]]
    pickers: ClassVar[dict[str, Picker]] = {}
    # Of the views that this is mixed into.
    admin: Admin
    filters: ClassVar[tuple[Any, ...]]
    form_columns: Any
    get_url: Callable[..., str]
    is_accessible: Callable[[], bool]
    scope: Callable[[], sa.Select[Any]]

    def prepare_pickers(self) -> None:
        """Raise TypeError for a relation that nobody could choose."""
        view = type(self).__name__
        for name in dict.fromkeys((*self.form_columns, *self.filters)):
            prop = attribute_of(self.model_class, name).property if isinstance(name, str) else None
            if isinstance(prop, RelationshipProperty) and name not in self.pickers:
                raise TypeError(f"{view}.{name} leads to another table: declare its picker.")
        for name, picker in self.pickers.items():
            prop = attribute_of(self.model_class, name).property
            if not isinstance(prop, RelationshipProperty) or prop.mapper.class_ is not picker.model:
                raise TypeError(f"{view}.{name} does not lead to {picker.model.__name__}.")
            if bool(prop.uselist) is not picker.many:
                raise TypeError(f"{view}.{name}: its picker must say many={prop.uselist}.")
            picker.require_columns()

    def target_of(self, picker: Picker) -> Picking:
        """Return the view of the table that is chosen from; its scope and permission hold."""
        for view in self.admin._views:  # noqa: SLF001
            if isinstance(view, Picking) and view.model_class is picker.model:
                return view
        raise TypeError(f"{picker.model.__name__} has no view, so nobody may choose from it.")

    def picker_of(self, name: str) -> Picker:
        """Return the picker of a relation as this person may use it."""
        picker = self.pickers[name]
        return replace(picker, is_masked=True) if picker.is_personal and is_masked() else picker

    def may_pick(self, name: str) -> bool:
        """Whether this person may see the rows that the relation leads to."""
        picker = self.pickers[name]
        if picker.read is not None:
            return bool(current_user.is_authenticated and current_actor().can(picker.read))
        return self.target_of(picker).is_accessible()

    @expose("/pick/<relation>")
    def pick(self, relation: str) -> Response:
        """Send the rows that are called what was typed, or begin so; or the one with the id."""
        if relation not in self.pickers:
            abort(404)
        if not self.may_pick(relation):
            abort(403)
        key = request.args.get("id", "")
        if is_key(key):
            found = self.known(relation, [int(key)])
        else:
            found = self.matches(relation, request.args.get("q", ""))
        return jsonify([asdict(choice) for choice in found])

    def validate_form(self, form: Any) -> bool:
        """Whether the form can be saved; one that was sent only to look rows up cannot."""
        fields = (field for _, field in fields_of(form))
        if any(isinstance(field, PickerField) and field.is_asked for field in fields):
            return False
        is_valid: bool = super().validate_form(form)  # type: ignore[misc]
        return is_valid

    def matches(self, name: str, typed: str) -> list[Choice]:
        """Return what can be chosen of what was typed: one statement."""
        picker = self.picker_of(name)
        return _choices(picker.matching(self.target_of(picker).scope(), typed))

    def known(self, name: str, keys: Iterable[int]) -> list[Choice]:
        """Return the rows with these keys as they are chosen from: one statement."""
        picker = self.picker_of(name)
        return _choices(picker.of(self.target_of(picker).scope(), keys))

    def creator_of(self, name: str) -> Any:
        """Return the view in which a row that is missing can be made, None for who may not."""
        target: Any = self.target_of(self.pickers[name])
        return target if target.is_accessible() and target.can_create else None

    def offers(self, keys: Mapping[str, Iterable[int]]) -> dict[str, Offer]:
        """Return, for each relation, the chosen rows and the first of all, one more than `WHOLE`.

        One statement for all of a form.
        """
        parts: list[sa.Select[Any]] = []
        for name, chosen in keys.items():
            picker = self.picker_of(name)
            scope = self.target_of(picker).scope()
            asked = {True: picker.of(scope, chosen), False: picker.first(scope, WHOLE + 1)}
            parts += [
                sa.select(
                    sa.literal(name).label("relation"),
                    sa.literal(is_chosen).label("is_chosen"),
                    statement.subquery(),
                )
                for is_chosen, statement in asked.items()
            ]
        found = db.session.execute(sa.union_all(*parts)).all()

        def some(name: str, *, is_chosen: bool) -> list[Choice]:
            """Return them in their order; a UNION promises none."""
            rows = (r for r in found if r.relation == name and r.is_chosen is is_chosen)
            return sorted(map(_choice, rows), key=lambda c: (c.label.casefold(), c.id))

        return {n: Offer(some(n, is_chosen=True), some(n, is_chosen=False)) for n in keys}

    def picked(self, name: str, keys: Iterable[int]) -> list[Any]:
        """Return the records in scope with these keys: one statement."""
        picker = self.pickers[name]
        scope = self.target_of(picker).scope()
        key: Any = picker.model.id  # type: ignore[attr-defined]
        return list(db.session.scalars(scope.where(key.in_(list(keys)))))

    # In lists

    def name_chosen(self, state: ListState) -> None:
        """Let the terms of relations say what was chosen: one statement, and only for those."""
        g.picked = {}
        asked: list[sa.Select[Any]] = []
        for filter_, terms in state.terms.items():
            if isinstance(filter_, RelationFilter) and self.may_pick(filter_.name):
                keys = [int(term.value) for term in terms if is_key(term.value)]
                picker = self.picker_of(filter_.name)
                named = picker.of(self.target_of(picker).scope(), keys).subquery()
                asked.append(sa.select(sa.literal(filter_.name).label("relation"), named))
        if not asked:
            return
        for row in db.session.execute(sa.union_all(*asked)):
            g.picked.setdefault(row.relation, {})[str(row.id)] = _choice(row)
        for filter_, terms in state.terms.items():
            known = g.picked.get(filter_.name, {}) if isinstance(filter_, RelationFilter) else {}
            state.terms[filter_] = [
                replace(term, words=f"{filter_.label}: {known[term.value].label}")
                if term.value in known
                else term
                for term in terms
            ]

    def filter_choices(self, name: str) -> list[tuple[Choice, bool]]:
        """Return what a list's filter offers without a script: what is chosen, what was found."""
        known: dict[str, Choice] = g.get("picked", {}).get(name, {})
        chosen = [
            known.get(value, Choice(int(value), f"#{value}"))
            for value in dict.fromkeys(request.args.getlist(name))
            if is_key(value)
        ]
        typed = request.args.get(f"{name}.find", "")
        found = self.matches(name, typed) if typed.strip() else []
        keys = {choice.id for choice in chosen}
        return [(c, True) for c in chosen] + [(c, False) for c in found if c.id not in keys]

    @property
    def is_looking_up(self) -> bool:
        """Whether the list was asked for what its filters could be set to."""
        return any(request.args.get(f"{name}.find", "").strip() for name in self.pickers)


def _choices(statement: sa.Select[Any]) -> list[Choice]:
    return [_choice(row) for row in db.session.execute(statement)]


def _choice(row: Any) -> Choice:
    return Choice(row.id, row.label or f"#{row.id}", row.hint or "")


def check_pickers(admin: Admin) -> None:
    """Raise TypeError for a picker of a table that has no view."""
    for view in admin._views:  # noqa: SLF001
        if isinstance(view, Picking):
            for picker in view.pickers.values():
                view.target_of(picker)
