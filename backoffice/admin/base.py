"""The model view that every table's view derives from: closed by default, every write logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, current_app, request, session
from flask_login import current_user
from jinja2 import pass_context
from markupsafe import Markup, escape

from backoffice.access import Permission
from backoffice.admin.bulk.view import Acting
from backoffice.admin.cells import CellEditing, cell_attributes
from backoffice.admin.conditions import RecordForm, When, require_conditions
from backoffice.admin.deleting import Deleting
from backoffice.admin.exporting import Exporting
from backoffice.admin.formatters import lately, money, show
from backoffice.admin.forms import Converter
from backoffice.admin.guards import Guarded, current_actor
from backoffice.admin.listing.choices import Choosing
from backoffice.admin.listing.jumping import Jumping
from backoffice.admin.listing.view import Listing
from backoffice.admin.masking import Revealing, read
from backoffice.admin.picking.view import Picking
from backoffice.admin.record import Recording
from backoffice.db import MONEY_DIGITS, Base, ExactNumeric, db, write_refusal
from backoffice.errors import UnavailableError

_WRITES = {
    "create_view": "can_create",
    "edit_view": "can_edit",
    "cell_view": "can_edit",
    "delete_view": "can_delete",
    "archive_view": "can_edit",
    "revert_view": "can_edit",
    "ajax_update": "column_editable_list",
    "action_view": "can_delete",
}
# Said of a form that says itself what is wrong with it.
_FLASHED = ("Failed to create record.", "Failed to save record.")
_DECLARED = ("model_class", "read", "column_list", "column_details_list")


class TableView(
    Guarded,
    Jumping,
    Listing,
    Choosing,
    Exporting,
    Acting,
    CellEditing,
    Picking,
    Recording,
    Revealing,
    Deleting,
):
    """A table: list, record, and for those with the `write` permission create, edit and delete."""

    model_class: ClassVar[type[Base]]
    write: ClassVar[Permission | None] = None
    creates: ClassVar[bool] = True
    deletes: ClassVar[bool] = True
    # What the record loads besides what the list does: what is shown, no more.
    record_eager: ClassVar[tuple[Any, ...]] = ()
    # Where a row says which currency its amounts are in ("order.currency"); else it is the shop's.
    currency: ClassVar[str] = ""

    # {field: when it matters}: the others are set aside while another field says so.
    conditions: ClassVar[dict[str, When]] = {}

    form_base_class = RecordForm
    model_form_converter = Converter
    list_template = "admin/table/list.html"
    details_template = "admin/table/details.html"
    create_template = "admin/table/form.html"
    edit_template = "admin/table/form.html"

    can_view_details = True
    can_export = False
    column_display_actions = True
    column_auto_select_related = False
    # Sorting and searching are ours; Flask-Admin is to offer none of its own.
    column_sortable_list: Any = ()
    action_disallowed_list = ["delete"]
    form_columns: Any = ()

    def __init__(self, **options: Any) -> None:
        for attribute in _DECLARED:
            if not getattr(self, attribute, None):
                raise TypeError(f"{type(self).__name__} must declare {attribute}.")
        if self.write and not self.form_columns:
            raise TypeError(f"{type(self).__name__} must declare form_columns.")
        self.prepare_pickers()
        view = type(self).__name__
        require_conditions(self.model_class, self.conditions, self.form_columns, view)
        super().__init__(self.model_class, db, **options)
        self.money = {
            column.name
            for column in self.model.__table__.columns
            if isinstance(column.type, ExactNumeric) and column.type.precision == MONEY_DIGITS
        }
        self.prepare_list()
        self.prepare_record()
        self.prepare_export()
        self.prepare_bulk()
        self.prepare_cells()

    def scaffold_form(self) -> Any:
        """Return the form of the declared columns; without any, Flask-Admin would take all."""
        # A class of its own: the edit form gets fields of its own added.
        plain = type("NoForm", (RecordForm,), {})
        form: Any = super().scaffold_form() if self.form_columns else plain
        form.conditions = self.conditions
        return form

    def render(self, template: str, **values: Any) -> Any:
        """Render a page, without what Flask-Admin flashes beside a form that was refused."""
        if "form" in values and "_flashes" in session:
            session["_flashes"] = [said for said in session["_flashes"] if said[1] not in _FLASHED]
        return super().render(template, **values)

    @property
    def _is_permitted(self) -> bool:
        return bool(
            self.write and current_user.is_authenticated and current_actor().can(self.write)
        )

    @property
    def _may_write(self) -> bool:
        # A form that was filled before comes back as it was, with the reason.
        return self._is_permitted and (request.method == "POST" or not write_refusal.get())

    @property
    def can_create(self) -> bool:
        """Whether this person may add a row."""
        return self.creates and self._may_write

    @property
    def can_edit(self) -> bool:
        """Whether this person may change a row; nobody changes what they may not see."""
        return self._may_write and not self.hides_fields

    @property
    def can_delete(self) -> bool:
        """Whether this person may delete a row."""
        return self.deletes and self._may_write

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """Answer 403 to a write that is not allowed; Flask-Admin would redirect in silence."""
        answer = super()._handle_view(name, **kwargs)
        if answer is None and name in _WRITES and not getattr(self, _WRITES[name]):
            if self._is_permitted and (refusal := write_refusal.get()):
                raise UnavailableError(refusal)
            abort(403)
        if answer is None and name in ("edit_view", "details_view") and not request.args.get("id"):
            abort(404)
        return answer

    @property
    def searched(self) -> str:
        """The columns that a search looks into, in words."""
        names = [self.get_column_name(column.key) for column in self.search_columns]
        return " or ".join(name if name.isupper() else name.lower() for name in names)

    def is_number(self, name: str) -> bool:
        """Whether a column is aligned as a number."""
        column = self.model.__table__.columns.get(name)
        return column is not None and isinstance(column.type, ExactNumeric | sa.Integer)

    def _prettify_name(self, name: str) -> str:
        """Return a column's label: a sentence's beginning, not a title."""
        return name.removeprefix("is_").replace("_", " ").replace(".", " ").capitalize()

    # Reading

    def get_one(self, id: Any) -> Any:  # noqa: A002  Flask-Admin's name
        """Return the row in scope; 404 for one that is not, and for what is no id at all."""
        text = str(id)
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63):
            abort(404)
        statement = self.scope().options(*self.eager, *self.record_eager)
        found = db.session.scalars(statement.where(self.model.id == int(text)))
        return found.unique().one_or_none() or abort(404)

    def get_value(self, row: Any, name: str) -> Any:
        """Return a cell of a list as it is shown: moments by their age, money with its currency."""
        value = value_of(row, name)
        if isinstance(value, datetime):
            return lately(value)
        if name in self.money and value is not None:
            currency = value_of(row, self.currency) if self.currency else None
            return money(value, currency or current_app.config["SHOP_CURRENCY"])
        return show(value)

    def rows_of_cells(
        self, rows: Sequence[Any], columns: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[Any, Markup, Any, Markup]]:
        """Return each row, the attributes of its first cell, what it shows, and the other cells.

        The first leads to the record, so that it is not edited in its place.
        """
        editable = [name for name, _label in columns[1:] if name in self.editable_cells]
        number = Markup(' class="number"')
        (first, _label), *others = columns
        kinds = [(name, number if self.is_number(name) else "") for name, _label in others]
        first_kind = number if self.is_number(first) else Markup()
        for row in rows:
            # In one piece: a template escapes and collects each of its pieces by itself.
            cells = "".join(
                f"<td{kind}{cell_attributes(row, name) if name in editable else ''}>"
                f"{escape(self.get_value(row, name))}</td>"
                for name, kind in kinds
            )
            yield row, first_kind, self.get_value(row, first), Markup(cells)  # noqa: S704

    @pass_context
    def get_list_value(self, context: Any, model: Any, name: str) -> Any:
        """Return a cell of the list."""
        return self.get_value(model, name)

    @pass_context
    def get_detail_value(self, context: Any, model: Any, name: str) -> Any:
        """Return a fact of the record."""
        return show(value_of(model, name))


def value_of(row: Any, name: str) -> Any:
    """Return what a name stands for, which may be a step or more away ("order.number")."""
    for part in name.split("."):
        row = read(row, part)
    return row
