"""A list as a file: the rows that it would show, in its order, as of one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import Response, abort, current_app, request
from flask_admin import expose
from flask_login import current_user
from sqlalchemy.orm import RelationshipProperty, aliased
from werkzeug.datastructures import MultiDict

from backoffice.access import Permission
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.columns import attribute_of
from backoffice.admin.listing.state import ListState
from backoffice.admin.masking import is_hidden
from backoffice.db import Base, db, utc_now
from backoffice.errors import InputError
from backoffice.formats.jsonl import jsonl_chunks
from backoffice.formats.xlsx import MOST_ROWS, xlsx_chunks
from backoffice.models import Category, Order, OrderItem, Payment, Product, User
from backoffice.models.personal import masked_column, masked_name
from backoffice.reports.connections import open_engine
from backoffice.reports.extraction import Extract, Extractor
from backoffice.services.audit import SECRET_FIELDS
from backoffice.services.exports import record_export

COLUMNS = "columns"
# What a record of another table is called in a file.
NAMES: dict[type[Base], str] = {
    Category: "name",
    Order: "number",
    OrderItem: "id",
    Payment: "provider_ref",
    Product: "sku",
    User: "username",
}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file: how it is written, and how many rows it can hold."""

    mimetype: str
    chunks: Callable[[str, Extract], Iterator[bytes]]
    most_rows: int | None = None


FORMATS = {
    "csv": FileFormat("text/csv", lambda _title, extract: extract.csv()),
    "xlsx": FileFormat(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda title, extract: xlsx_chunks(title, extract.names, extract.rows()),
        MOST_ROWS,
    ),
    "jsonl": FileFormat(
        "application/jsonl", lambda _title, extract: jsonl_chunks(extract.names, extract.rows())
    ),
}


class Exporting:
    """The part of a table's view that exports: what the record may show, a file may hold."""

    model_class: ClassVar[type[Base]]
    # Of the views that this is mixed into.
    column_list: Any
    column_details_list: Any
    currency: ClassVar[str]
    endpoint: str
    money: set[str]
    name: str
    list_state: Callable[..., ListState]
    shown_columns: Callable[[], Sequence[tuple[str, str]]]
    statement: Callable[[ListState], sa.Select[Any]]

    def prepare_export(self) -> None:
        """Find out what can be exported; raise TypeError for a secret or a nameless relation."""
        declared = [*self.column_list, *self.column_details_list]
        self.exportable = [name for name in dict.fromkeys(declared) if self._is_exportable(name)]

    def _is_exportable(self, name: str) -> bool:
        view, relation = type(self).__name__, attribute_of(self.model_class, name).property
        if name in SECRET_FIELDS:
            raise TypeError(f"{view}: {name} is a secret and must not be shown.")
        if not isinstance(relation, RelationshipProperty) or relation.uselist:
            return not isinstance(relation, RelationshipProperty)
        if relation.direction is not sa.orm.RelationshipDirection.MANYTOONE:
            return False
        if relation.mapper.class_ not in NAMES:
            raise TypeError(f"{view}.{name}: say in NAMES what a file calls it.")
        return True

    @property
    def may_export(self) -> bool:
        """Whether this person may take the list away as a file."""
        return bool(current_user.is_authenticated and current_actor().can(Permission.DATA_EXPORT))

    @expose("/export.<form>")
    def export_rows(self, form: str) -> Response:
        """Send all rows of the list that the URL asks for, in the columns that it asks for."""
        current_actor().require(Permission.DATA_EXPORT)
        if request.method != "GET":
            abort(405)
        kind = FORMATS.get(form) or abort(404)
        names, state = self._chosen_columns(), self._exact_state()
        limit = int(current_app.config["EXPORT_MAX_ROWS"])
        with ExitStack() as stack:
            extract = stack.enter_context(
                _extractor().open(
                    self._columns(self.statement(state), names), min(limit, kind.most_rows or limit)
                )
            )
            record_export(
                current_actor(),
                self.model_class.__tablename__,
                form=form,
                columns=names,
                query=state.query(),
                row_count=extract.row_count,
                is_cut=extract.is_cut,
            )
            chunks: Any = kind.chunks(self.name, extract)
            stack.callback(chunks.close)
            # The first piece now: what fails at once is an error page, not a broken file.
            first = next(chunks, b"")
            response = Response(chain([first], chunks), mimetype=kind.mimetype)
            response.headers["Content-Disposition"] = (
                f"attachment; filename={self._file_name(extract)}.{form}"
            )
            # The server closes the response at its end, and when the reader has gone away.
            response.call_on_close(stack.pop_all().close)
        return response

    def _chosen_columns(self) -> list[str]:
        chosen = request.args.getlist(COLUMNS)
        unknown = [name for name in chosen if name not in self.exportable]
        if unknown:
            raise InputError(f"This list has no column {unknown[0][:40]!r} to export.")
        wanted = chosen or self.usual_columns()
        return [name for name in self.exportable if name in wanted]

    def usual_columns(self) -> list[str]:
        """Return what a file holds if nothing is asked: the list, amounts with their currency."""
        shown = [name for name, _label in self.shown_columns()]
        return [*shown, self.currency] if self.money.intersection(shown) else shown

    def _exact_state(self) -> ListState:
        """Return what the list was asked for; a file holds exactly that, or there is none."""
        kept = [pair for pair in request.args.items(multi=True) if pair[0] != COLUMNS]
        state = self.list_state(MultiDict(kept))
        if state.notices:
            raise InputError(f"Nothing was exported. {state.notices[0]}")
        return state

    def _columns(self, statement: sa.Select[Any], names: Sequence[str]) -> sa.Select[Any]:
        columns = []
        for name in names:
            attribute = attribute_of(self.model_class, name)
            if isinstance(attribute.property, RelationshipProperty):
                other: Any = aliased(attribute.property.mapper.class_)
                statement = statement.outerjoin(attribute.of_type(other))
                attribute = _called(attribute.property.mapper.class_, other)
            elif is_hidden(attribute):
                attribute = masked_column(attribute)
            columns.append(attribute.label(name))
        return statement.with_only_columns(*columns, maintain_column_froms=True)

    def _file_name(self, extract: Extract) -> str:
        """Return table and moment, and where it was cut if it was."""
        cut = f"-first-{extract.row_count}" if extract.is_cut else ""
        return f"{self.endpoint}{cut}-{utc_now():%Y%m%dT%H%M%SZ}"


def _called(model: type[Base], other: Any) -> Any:
    """Return the column that names a record of another table, as this person may know it."""
    name = NAMES[model]
    return masked_name(other) if is_hidden(getattr(model, name)) else getattr(other, name)


def _extractor() -> Extractor:
    """Return the process's one extractor, made by the first export."""
    kept = current_app.extensions
    if "backoffice.exports" not in kept:
        concurrency = int(current_app.config["EXPORT_CONCURRENCY"])
        made = Extractor(open_engine(db.engine.url), concurrency=concurrency)
        # setdefault, so that two first exports at once share the slots of one.
        kept.setdefault("backoffice.exports", made)
    extractor: Extractor = kept["backoffice.exports"]
    return extractor
