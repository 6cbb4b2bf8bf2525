"""Making a row: once for each form, on a page of its own or in a panel beside another form."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import g, get_flashed_messages, jsonify, request
from flask_admin import expose
from sqlalchemy.orm import Session
from wtforms import HiddenField

from backoffice.admin.guards import current_actor
from backoffice.admin.parts.bound import bind_parts
from backoffice.admin.writing import Writing
from backoffice.db import Base
from backoffice.errors import RuleViolationError
from backoffice.models import ChangeSet
from backoffice.services import audit
from backoffice.services.locks import lock_key


class Creating(Writing):
    """The part of a table's view that makes rows."""

    side_panel_template = "admin/table/side_panel.html"
    # Of the views that this is mixed into.
    model_class: ClassVar[type[Base]]
    scope: Any

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

    def get_create_form(self) -> Any:
        """Return the form, which carries a token: sent twice, it is known again."""
        form = super().get_create_form()
        form.form_token = HiddenField()
        return form

    def create_form(self, obj: Any = None) -> Any:
        """Return an empty form, or the one that was sent."""
        form = super().create_form(obj)
        form.parts = [] if "panel" in request.args else bind_parts(self.resolved_parts, None)
        if request.method != "POST":
            form.form_token.data = secrets.token_urlsafe(16)
        return form

    def create_model(self, form: Any) -> Any:
        """Add the row, or find the one that the same form made; False when it is refused."""
        made: list[Any] = []

        def add(session: Session) -> None:
            key = _form_key(self.model_class) if form.form_token.data else None
            made.append(self._made_before(session, key) or self._make(session, form, key))

        return made[0] if self._write(form, add) else False

    def _make(self, session: Session, form: Any, form_key: str | None) -> Any:
        record = self.build_new_instance()
        with session.no_autoflush:
            form.populate_obj(record)
        session.add(record)
        self.check(session, record)
        changes = audit.differences(session, record)
        session.flush()
        audit.record(
            session,
            current_actor(),
            self._action("create"),
            record,
            changes=changes,
            parts=[told for part in form.parts for told in part.write(session, record)],
            form_key=form_key,
        )
        return record

    def _made_before(self, session: Session, form_key: str | None) -> Any:
        """Return the row that this form has made already, None if it is the first time.

        Raises RuleViolationError when that row has been deleted since.
        """
        if form_key is None:
            return None
        lock_key(session, form_key)
        made = session.scalar(sa.select(ChangeSet).where(ChangeSet.form_key == form_key))
        if made is None:
            return None
        key: Any = self.model.id
        record = session.scalar(self.scope().where(key == made.record_id))
        if record is None:
            raise RuleViolationError("What this form made is deleted. Open a new form to add it.")
        g.is_made_before = True
        return record

    def get_save_return_url(self, model: Any, is_created: bool = False) -> Any:
        """Return where to go after saving: to the record, when the form had made it before."""
        if g.get("is_made_before"):
            return self.get_url(".details_view", id=model.id)
        return super().get_save_return_url(model, is_created)


def _form_key(model: type[Base]) -> str:
    """Return what tells this form from all others: its token, its content and who sends it.

    A form that is changed after "back" and sent again is another one, and makes another row.
    """
    content = sorted(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and not name.startswith("_")
    )
    sender = [current_actor().user_id, model.__tablename__, content]
    return hashlib.sha256(json.dumps(sender).encode()).hexdigest()
