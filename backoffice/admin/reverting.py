"""Taking one change of a record back, as long as nobody has built upon it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request
from flask_admin import expose
from sqlalchemy.orm import Session, selectinload

from backoffice.access import Permission
from backoffice.admin.creating import Creating
from backoffice.admin.guards import current_actor
from backoffice.db import db, utc_now
from backoffice.errors import RuleViolationError, StaleRecordError
from backoffice.models import Change, ChangeSet
from backoffice.services import audit
from backoffice.services.history import AFTER, BEFORE, change_sets_of, is_told, told_value
from backoffice.services.locks import lock_row

_STALE = "Somebody else has changed this record since you opened it. Nothing was reverted."
_MOST_CHANGES = 100


class Reverting(Creating):
    """The part of a table's view that takes changes back."""

    def is_revertible(self, made: ChangeSet) -> bool:
        """Whether a change set may be taken back by this person: an edit of form fields."""
        return (
            bool(self.can_edit)
            and made.action.endswith((".update", ".revert"))
            and bool(made.changes)
            and all(change.field in self.form_columns for change in made.changes)
        )

    @expose("/revert/", methods=("POST",))
    def revert_view(self) -> Any:
        """Put back what one change set replaced, all of it or nothing."""
        current_actor().require(Permission.AUDIT_READ)
        if not self.can_edit:
            abort(403)
        made = self._change_set(request.form.get("change_set", ""))
        record = self.get_one(made.record_id)
        key, made_id = record.id, made.id
        try:
            done = self._write([], lambda session: self._revert(session, key, made_id))
        except StaleRecordError as error:
            flash(str(error), "danger")
            done = False
        if done:
            flash(f"Change {made_id} is reverted.", "success")
        return redirect(self.get_url(".details_view", id=key))

    def _change_set(self, text: str) -> ChangeSet:
        """Return a change set of this table; 404 without one."""
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            abort(404)
        statement = sa.select(ChangeSet).where(
            ChangeSet.id == int(text), ChangeSet.table_name == self.model.__tablename__
        )
        return db.session.scalar(statement) or abort(404)

    def _revert(self, session: Session, key: int, made_id: int) -> None:
        record: Any = lock_row(session, self.model, key)
        if request.form.get("row_version") != str(record.version):
            raise StaleRecordError(_STALE)
        made = session.get_one(ChangeSet, made_id, options=[selectinload(ChangeSet.changes)])
        if not self.is_revertible(made):
            raise RuleViolationError(f"Change {made_id} is not one that can be reverted.")
        moved = [c for c in made.changes if not is_told(getattr(record, c.field), c, AFTER)]
        if moved:
            raise RuleViolationError(self._built_upon(session, record, made, moved))
        with session.no_autoflush:
            form = self._edit_form_class(None, obj=record)
            for change in made.changes:
                self._put_back(session, form, record, change)
            changes = audit.differences(session, record)
            self.check(session, record)
        record.updated_at = utc_now()
        audit.record(
            session,
            current_actor(),
            self._action("revert"),
            record,
            changes=changes,
            reason=f"revert of change {made_id}",
        )

    def _put_back(self, session: Session, form: Any, record: Any, change: Change) -> None:
        """Set one field as it was, through the field of the form: what it refuses stays out."""
        label = self.get_column_name(change.field)
        try:
            value = told_value(session, change, BEFORE)
        except LookupError:
            raise RuleViolationError(
                f"Not reverted: {label} was {change.old_value}, which is no more."
            ) from None
        except (ValueError, ArithmeticError):
            raise RuleViolationError(
                f"Not reverted: the change log does not say exactly what {label} was."
            ) from None
        field = form[change.field]
        field.process(None, data=value)
        field.raw_data = [] if value is None else [str(value)]
        if not field.validate(form):
            raise RuleViolationError(f"Not reverted: {label}: {' '.join(field.errors)}")
        field.populate_obj(record, change.field)

    def _built_upon(
        self, session: Session, record: Any, made: ChangeSet, moved: Sequence[Change]
    ) -> str:
        fields = {change.field for change in moved}
        later = change_sets_of(session, record, limit=_MOST_CHANGES, after=made.id)
        names = dict.fromkeys(
            one.actor_name for one in later if fields & {change.field for change in one.changes}
        )
        labels = " and ".join(self.get_column_name(change.field) for change in moved)
        who = f" by {' and '.join(names)}" if names else ""
        return f"Nothing was reverted: {labels} changed again since{who}."
