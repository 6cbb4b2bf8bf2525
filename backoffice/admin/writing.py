"""How a table's view writes: in one transaction, logged, refused in words, never over another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from flask import flash, g, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from wtforms import HiddenField

from backoffice.admin.conflicts import find_all_conflicts
from backoffice.admin.guards import current_actor
from backoffice.admin.parts.bound import PartRefusedError, bind_parts, fields_of
from backoffice.admin.parts.declared import Part, ResolvedPart
from backoffice.admin.refusals import explain
from backoffice.db import db, transaction, utc_now
from backoffice.errors import BackofficeError, StaleRecordError
from backoffice.services import audit
from backoffice.services.history import newest_change

_STALE = "Somebody else has changed this record since you opened it. Nothing was saved."


class Writing(ModelView):
    """The part of a table's view that creates, changes and deletes."""

    parts: ClassVar[tuple[Part, ...]] = ()
    resolved_parts: Sequence[ResolvedPart] = ()
    form_columns: Any
    fields_of = staticmethod(fields_of)

    @property
    def singular(self) -> str:
        """What one row is called."""
        return noun(self.model)

    def get_edit_form(self) -> Any:
        """Return the form, which carries the version and the newest change that it was made of."""
        form = super().get_edit_form()
        form.row_version = HiddenField()
        form.row_change = HiddenField()
        return form

    def edit_form(self, obj: Any = None) -> Any:
        """Return the form of one row."""
        form = super().edit_form(obj)
        form.parts = bind_parts(self.resolved_parts, obj)
        if request.method != "POST":
            seen = newest_change(db.session(), obj)
            form.row_version.data = str(obj.version)
            form.row_change.data = "" if seen is None else str(seen)
        return form

    def validate_form(self, form: Any) -> bool:
        """Whether the form and its parts can be saved; all of them say what is wrong."""
        parts = getattr(form, "parts", ())
        if any(part.is_asked for part in parts):
            return False
        is_valid = super().validate_form(form)
        return all([is_valid, *(part.validate() for part in parts if request.method == "POST")])

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """Show or take the form; one that is out of date is answered with 409 and both versions."""
        answer = super().edit_view()
        return (answer, 409) if g.get("conflict") else answer

    def check(self, session: Session, record: Any) -> None:
        """Raise BackofficeError when a rule forbids the record as it is about to be saved."""

    def update_model(self, form: Any, model: Any) -> bool:
        """Change the row; False, with the form kept, when it is refused or out of date."""

        def change(session: Session) -> None:
            if form.row_version.data != str(model.version):
                raise StaleRecordError(_STALE)
            with session.no_autoflush:
                form.populate_obj(model)
                changes = audit.differences(session, model)
                if changes:
                    self.check(session, model)
                    # Also moves the version on when only a relation changed.
                    model.updated_at = utc_now()
            session.flush()
            parts = [told for part in form.parts for told in part.write(session, model)]
            if changes or parts:
                action = self._action("update")
                audit.record(session, current_actor(), action, model, changes=changes, parts=parts)

        try:
            return self._write(form, change)
        except (StaleRecordError, StaleDataError):
            names = [name for name in self.form_columns if name in form]
            g.conflict = find_all_conflicts(form, model, names)
            return False

    def _write(self, form: Any, work: Callable[[Session], None]) -> bool:
        """Do the work in a transaction; False, with a sentence for the person, when refused.

        Raises StaleRecordError or StaleDataError when somebody else was quicker.
        """
        try:
            with transaction() as session:
                work(session)
        except StaleRecordError:
            raise
        except BackofficeError as error:
            flash(str(error), "danger")
            return False
        except IntegrityError as error:
            return self._refuse(error, form)
        except PartRefusedError as refused:
            return self._refuse(refused.cause, refused.form)
        return True

    def _refuse(self, error: IntegrityError, form: Any) -> bool:
        if not explain(error, form):
            flash(_refusal(error, is_deletion=form == ()), "danger")
        return False

    def _action(self, verb: str) -> str:
        return f"{self.singular.replace(' ', '_')}.{verb}"


def noun(model: type[Any]) -> str:
    """Return what one row of a table is called."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__).lower()


def _refusal(error: IntegrityError, *, is_deletion: bool) -> str:
    if "foreign key" in str(error.orig).lower():
        if is_deletion:
            return "Other records still need this one, so it was not deleted."
        return "Somebody else has just deleted what you chose. Nothing was saved."
    return "A rule of the database forbids this. Nothing was saved."
