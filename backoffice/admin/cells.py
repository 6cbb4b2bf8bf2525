"""Editing one plain cell of a list where it stands: the same rules as in the form, one field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, g, get_flashed_messages, jsonify, request
from flask_admin import expose
from markupsafe import Markup, escape

from backoffice.access import Source
from backoffice.admin.listing.columns import attribute_of, python_type
from backoffice.db import Base, db
from backoffice.services.history import change_sets_of

_PLAIN = (bool, int, str, Decimal)
_CARRIED = ("row_version", "row_change")
_STALE = "Somebody else has changed this record since this list was drawn. Nothing was saved."


class CellEditing:
    """The part of a table's view that lets people edit cells of its list: `editable` names them."""

    model_class: ClassVar[type[Base]]
    editable: ClassVar[tuple[str, ...]] = ()
    # Of the views that this is mixed into.
    can_edit: Any
    edit_form: Any
    form_columns: Any
    get_column_name: Any
    get_one: Any
    get_value: Any
    update_model: Any
    validate_form: Any
    _edit_form_class: Any

    def prepare_cells(self) -> None:
        """Raise TypeError for a cell that the form does not have, or that is not a plain value."""
        for name in self.editable:
            prop = attribute_of(self.model_class, name).property
            is_column = isinstance(prop, sa.orm.ColumnProperty)
            kind = python_type(getattr(self.model_class, name)) if is_column else None
            if kind not in _PLAIN or name not in self.form_columns:
                raise TypeError(f"{type(self).__name__}.editable: {name} is no plain form field.")

    @property
    def editable_cells(self) -> tuple[str, ...]:
        """The columns that this person may edit in the list."""
        return self.editable if self.can_edit else ()

    def cell_control(self, name: str) -> Markup:
        """Return the control of a column's cells, empty: a script fills and shows it."""
        field = self._edit_form_class(None)[name]
        is_box = field.type == "BooleanField"
        control: Markup = field(class_="form-check-input" if is_box else "form-control", id=False)
        return control

    @expose("/cell/", methods=("POST",))
    def cell_view(self) -> Any:
        """Save one cell; 422 says what is wrong with it, 409 what it has become meanwhile."""
        name = request.form.get("cell", "")
        if name not in self.editable:
            abort(404)
        if name not in self.editable_cells:
            abort(403)
        record = self.get_one(request.form.get("id", ""))
        g.source = Source.CELL
        form = self._cell_form(record, name)
        if self.validate_form(form) and self.update_model(form, record):
            return jsonify(self._cell(record, name))
        if g.get("conflict"):
            return jsonify(error=_STALE, who=_last_writer(record), **self._cell(record, name)), 409
        said = [*form[name].errors, *get_flashed_messages()]
        return jsonify(error=" ".join(map(str, said))), 422

    def _cell_form(self, record: Any, name: str) -> Any:
        """Return the record's form with one field, and the one that this depends on."""
        form = self.edit_form(record)
        form.parts = ()
        when = form.conditions.get(name)
        kept = {name, *_CARRIED} | ({when.field} if when else set())
        for other in [field.name for field in form if field.name not in kept]:
            del form[other]
        if when:
            form[when.field].process(None, data=getattr(record, when.field))
            form[when.field].validators = []
        return form

    def _cell(self, record: Any, name: str) -> dict[str, Any]:
        return {
            "version": record.version,
            "value": cell_text(getattr(record, name)),
            "shown": str(escape(self.get_value(record, name))),
        }


def cell_attributes(row: Any, name: str) -> Markup:
    """Return the attributes that make a cell one that a script lets people edit."""
    text = cell_text(getattr(row, name))
    return Markup(' data-cell="{}" data-value="{}"').format(name, text)


def cell_text(value: Any) -> str:
    """Return a value as its control has it."""
    match value:
        case None | False:
            return ""
        case True:
            return "y"
        case Decimal():
            places = max(2, -int(value.normalize().as_tuple().exponent))
            return f"{value:.{places}f}"
        case _:
            return str(value)


def _last_writer(record: Any) -> str:
    """Return who wrote last, by the change log."""
    newest = change_sets_of(db.session(), record, limit=1)
    return newest[0].actor_name if newest else ""
