"""Runs reports and checks: one at a time per slot, read-only, within their time and rows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from backoffice.access import Actor, Permission
from backoffice.db import utc_now
from backoffice.errors import QueryLimitError, UnavailableError
from backoffice.reports.connections import open_engine, read_only
from backoffice.reports.parameters import Value
from backoffice.reports.result import Cell, ReportResult, read_cell, without_names
from backoffice.reports.spec import Param, ParamType, Report

log = logging.getLogger(__name__)

_BIND_TYPES: dict[ParamType, type[sa.types.TypeEngine[Any]]] = {
    ParamType.DATE: sa.Date,
    ParamType.INTEGER: sa.BigInteger,
}

# A cursor on the server takes one SELECT and nothing else.
_ON_SERVER = {"stream_results": True}


class ReportRunner:
    """Runs reports over an engine of `open_engine`; at most `concurrency` at once."""

    def __init__(self, engine: Engine, concurrency: int) -> None:
        self._engine = engine
        self._slots = threading.BoundedSemaphore(concurrency)

    def run(self, actor: Actor, report: Report, values: Mapping[str, Value]) -> ReportResult:
        """Return the result; raises QueryLimitError when it takes too long.

        Raises PermissionDeniedError or NotFoundError for an actor who may not read it, and
        UnavailableError when all slots are taken or the database cannot answer.
        """
        report.require_reader(actor)
        with self._slot(), _in_words("report", report.title, report.limits.timeout_s):
            as_of, started = utc_now(), time.perf_counter()
            rows = self._fetch(report, values)
            if not actor.can(Permission.CUSTOMER_CONTACT):
                rows = list(without_names(report, rows))
            return ReportResult(
                report=report,
                values=dict(values),
                rows=tuple(rows[: report.limits.rows]),
                is_cut=len(rows) > report.limits.rows,
                seconds=time.perf_counter() - started,
                as_of=as_of,
            )

    def check(
        self, title: str, statement: sa.Select[Any], *, rows: int, timeout_s: float
    ) -> list[sa.Row[Any]]:
        """Return the first `rows` rows of a SELECT of our own; raises as `run`."""
        with (
            self._slot(),
            _in_words("check", title, timeout_s),
            read_only(self._engine, timeout_s) as connection,
        ):
            found = connection.execute(statement.limit(rows), execution_options=_ON_SERVER)
            return list(found)

    def _fetch(self, report: Report, values: Mapping[str, Value]) -> list[tuple[Cell, ...]]:
        """Return the rows and, where there are more than the limit, one beyond it."""
        with read_only(self._engine, report.limits.timeout_s) as connection:
            result = connection.execute(
                _bound(report, connection.dialect.name),
                dict(values),
                # Only the rows that are fetched.
                execution_options={**_ON_SERVER, "max_row_buffer": report.limits.rows},
            )
            try:
                _require_columns(report, list(result.keys()))
                fetched = result.fetchmany(report.limits.rows + 1)
            finally:
                result.close()
        formats = [column.format for column in report.columns.values()]
        return [tuple(map(read_cell, formats, row)) for row in fetched]

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise UnavailableError("Other reports are running. Try again in a few seconds.")
        try:
            yield
        finally:
            self._slots.release()


def runner_of(
    extensions: MutableMapping[str, Any], url: str | sa.URL, concurrency: int
) -> ReportRunner:
    """Return the process's one runner, kept in `extensions`; the first call makes it."""
    if "backoffice.reports" not in extensions:
        # setdefault, so that two first requests at once share the slots of one.
        extensions.setdefault("backoffice.reports", ReportRunner(open_engine(url), concurrency))
    runner: ReportRunner = extensions["backoffice.reports"]
    return runner


def _bound(report: Report, dialect: str) -> sa.TextClause:
    return sa.text(report.statement(dialect)).bindparams(
        *(sa.bindparam(name, type_=_bind_type(param)) for name, param in report.params.items())
    )


def _bind_type(param: Param) -> sa.types.TypeEngine[Any]:
    return _BIND_TYPES.get(param.type, sa.Text)()


def _require_columns(report: Report, names: list[str]) -> None:
    if names != list(report.columns):
        raise UnavailableError(
            f"The report “{report.title}” gives the columns {', '.join(names)}, "
            f"but declares {', '.join(report.columns)}."
        )


@contextmanager
def _in_words(kind: str, title: str, timeout_s: float) -> Iterator[None]:
    """Turn the driver's failures into sentences; their text goes to the log only."""
    try:
        yield
    except DBAPIError as error:
        if _is_timeout(error):
            raise QueryLimitError(
                f"“{title}” took longer than {timeout_s:g} seconds "
                "and was stopped. Choose a shorter period."
            ) from error
        log.exception("%s “%s” failed", kind, title)
        if _is_unreachable(error):
            raise UnavailableError("The database that reports read does not answer.") from error
        raise UnavailableError(f"The {kind} “{title}” could not be run.") from error
    except SQLAlchemyError as error:
        log.exception("%s “%s” failed", kind, title)
        raise UnavailableError(f"The {kind} “{title}” could not be run.") from error


def _is_timeout(error: DBAPIError) -> bool:
    sqlstate = getattr(error.orig, "sqlstate", None)
    name = getattr(error.orig, "sqlite_errorname", None)
    return sqlstate == "57014" or name == "SQLITE_INTERRUPT"


def _is_unreachable(error: DBAPIError) -> bool:
    """Whether there was no connection: PostgreSQL's driver then has no code of the server."""
    if isinstance(error.orig, psycopg.Error):
        return isinstance(error.orig, psycopg.OperationalError) and error.orig.sqlstate is None
    return getattr(error.orig, "sqlite_errorname", None) == "SQLITE_CANTOPEN"
