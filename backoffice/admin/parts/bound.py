"""The rows of a part in one request: read, sent, validated and saved with their record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from wtforms import BooleanField, HiddenField

from backoffice.admin.dependents import count_dependents
from backoffice.admin.parts.declared import ResolvedPart
from backoffice.admin.picking.picker import is_key
from backoffice.db import db, utc_now
from backoffice.errors import StaleRecordError
from backoffice.services import audit
from backoffice.services.history import newest_of_each

MOST = 50
_STALE = "Somebody else has changed this record since you opened it. Nothing was saved."
_LED_TO = "Something else leads to it. Delete it on its own page, which shows what."


class PartRefusedError(Exception):
    """The database refused a row of a part."""

    def __init__(self, cause: IntegrityError, form: Any) -> None:
        super().__init__()
        self.cause = cause
        self.form = form


@dataclass(slots=True)
class PartRow:
    """One row in a form; without a `record` it is new, or gone since the form was opened."""

    key: str
    form: Any
    record: Any = None

    @property
    def is_new(self) -> bool:
        """Whether it was not there when the form was opened."""
        return not self.form.row_version.data

    @property
    def is_left_empty(self) -> bool:
        """Whether nothing was typed into a new row: none is made of it."""
        fields = [f for f in self.form if not isinstance(f, BooleanField | HiddenField)]
        return self.is_new and not any(
            str(text).strip() for field in fields for text in field.raw_data or ()
        )

    @property
    def is_removed(self) -> bool:
        """Whether the row is to be deleted."""
        return bool(not self.is_new and self.form.remove.data)

    @property
    def is_stale(self) -> bool:
        """Whether it is not the row that the form was opened with."""
        version = "" if self.record is None else str(self.record.version)
        return bool((self.form.row_version.data or "") != version)


class BoundPart:
    """A part of one record in one request; `owner` is None while the record is being made."""

    def __init__(self, part: ResolvedPart, owner: Any) -> None:
        self.part = part
        self.owner = owner
        self.is_too_long = False
        self.rows = self._sent() if request.method == "POST" else self._stored()

    @property
    def is_asked(self) -> bool:
        """Whether the form was sent only to get room for one more row."""
        return f"_more_{self.part.relation}" in request.form

    @property
    def list_url(self) -> str:
        """Where all of the rows are; only the owner's, if that list can be asked for them."""
        view, back = self.part.view, self.part.back
        asked = {back: self.owner.id} if back in view.filters else {}
        return str(view.get_url(f"{view.endpoint}.index_view", **asked))

    def _stored(self) -> list[PartRow]:
        """Return the rows that there are, and an empty one where one may be added."""
        found = self._read(MOST + 1)
        self.is_too_long = len(found) > MOST
        if self.is_too_long:
            return []
        rows = []
        for record, newest in found:
            row = self._row(str(record.id) if self.part.many else "", None, record)
            row.form.row_version.data = str(record.version)
            row.form.row_change.data = str(newest)
            rows.append(row)
        if self.part.many or not rows:
            rows.append(self._row(self._new_key(0), None))
        return rows

    def _sent(self) -> list[PartRow]:
        """Return the rows that were in the form; one that was not in it is left alone."""
        keys = [key for name in request.form if (key := self._key_in(name)) is not None]
        if len(keys) > 2 * MOST:
            abort(400)
        rows = [self._row(key, request.form) for key in keys]
        self.look_up(rows)
        if self.is_asked:
            rows.append(self._row(self._new_key(len(keys)), None))
        return rows

    def _key_in(self, name: str) -> str | None:
        """Return the key of the row that a sent field is the version of."""
        relation, _, rest = name.partition("-")
        key, _, field = rest.rpartition("-")
        return key if (relation, field) == (self.part.relation, "row_version") else None

    def _new_key(self, number: int) -> str:
        return f"new{number}" if self.part.many else ""

    def _row(self, key: str, sent: Any, record: Any = None) -> PartRow:
        prefix = f"{self.part.relation}-{key}-" if key else f"{self.part.relation}-"
        row = PartRow(key, self.part.form_class(sent, obj=record, prefix=prefix), record)
        for field in row.form if record is None and row.is_new else ():
            # Left empty, it is no row at all.
            field.flags.required = False
        return row

    def look_up(self, rows: Collection[PartRow]) -> None:
        """Give the rows their records as they are now: one statement, none for no rows."""
        if not rows:
            return
        keys = [int(row.key) for row in rows if is_key(row.key)]
        found = [] if self.part.many and not keys else self._read(MOST, keys)
        known = {str(record.id) if self.part.many else "": record for record, _ in found}
        for row in rows:
            row.record = known.get(row.key)

    def _read(self, limit: int, keys: list[int] | None = None) -> list[Any]:
        """Return [(row, id of its newest change)] in the order in which they were made."""
        if self.owner is None:
            return []
        model: Any = self.part.view.model
        statement = self.part.view.scope().add_columns(newest_of_each(model))
        statement = statement.where(self.part.key == self.owner.id).order_by(model.id).limit(limit)
        if keys:
            statement = statement.where(model.id.in_(keys))
        fresh = statement.execution_options(populate_existing=True)
        return list(db.session.execute(fresh))

    def validate(self) -> bool:
        """Whether all rows can be saved; each says at its fields what is wrong."""
        checked = [self._is_valid(row) for row in self.rows]
        return all(checked)

    def _is_valid(self, row: PartRow) -> bool:
        if row.is_left_empty:
            return True
        if not row.is_removed:
            return bool(row.form.validate())
        if not self.part.view.can_delete:
            row.form.remove.errors = ["You may not delete this."]
        elif row.record is not None and count_dependents(db.session(), row.record):
            row.form.remove.errors = [_LED_TO]
        return not row.form.remove.errors

    def write(self, session: Session, owner: Any) -> list[audit.Told]:
        """Save the rows and return what changed; joins the caller's transaction.

        Raises StaleRecordError for a row that is not what the form was opened with, and
        PartRefusedError for one that the database refuses.
        """
        rows = [row for row in self.rows if not row.is_left_empty]
        self.look_up(rows)
        if any(row.is_stale for row in rows):
            raise StaleRecordError(_STALE)
        told = [self._write(session, owner, row) for row in rows]
        return [one for one in told if one.changes]

    def _write(self, session: Session, owner: Any, row: PartRow) -> audit.Told:
        with session.no_autoflush:
            record = row.record or self._added(session, owner)
            if row.is_removed:
                changes = {name: (getattr(record, name), None) for name in self.part.columns}
                session.delete(record)
            else:
                changes = self._changed(session, row, record)
        try:
            session.flush()
        except IntegrityError as error:
            raise PartRefusedError(error, row.form) from error
        return audit.Told(self.part.relation, record, changes)

    def _added(self, session: Session, owner: Any) -> Any:
        record = self.part.view.build_new_instance()
        setattr(record, self.part.back, owner)
        session.add(record)
        return record

    def _changed(self, session: Session, row: PartRow, record: Any) -> audit.Differences:
        for name in self.part.columns:
            row.form[name].populate_obj(record, name)
        changes = audit.differences(session, record)
        changes.pop(self.part.back, None)
        if changes:
            self.part.view.check(session, record)
            record.updated_at = utc_now()
        return changes


def bind_parts(parts: Iterable[ResolvedPart], owner: Any) -> list[BoundPart]:
    """Return the parts that this person may edit."""
    return [BoundPart(part, owner) for part in parts if part.view.can_edit]


def fields_of(form: Any) -> Iterator[tuple[str, Any]]:
    """Give all fields of a form, those of its parts under the title of the part."""
    yield from (("", field) for field in form)
    for part in getattr(form, "parts", ()):
        for row in part.rows:
            yield from ((part.part.title, field) for field in row.form)
