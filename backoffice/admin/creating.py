"""Making a row: on a page of its own, or in a panel beside the form that misses it."""

from __future__ import annotations

from typing import Any

from flask import get_flashed_messages, jsonify, request
from flask_admin import expose

from backoffice.admin.writing import Writing


class Creating(Writing):
    """The part of a table's view that makes rows."""

    side_panel_template = "admin/table/side_panel.html"

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Show or take the form."""
        return self._create_beside() if "panel" in request.args else super().create_view()

    def _create_beside(self) -> Any:
        """Answer a script: with the form alone, or with 201 and the key of the new row."""
        form = self.create_form()
        for field in form:
            # Beside another form, whose fields may have the same names.
            field.id = field.label.field_id = f"panel-{field.id}"
        record = self.create_model(form) if self.validate_form(form) else None
        if record:
            return jsonify(id=record.id), 201
        page = self.render(self.side_panel_template, form=form, refusals=get_flashed_messages())
        return page, 422 if request.method == "POST" else 200
