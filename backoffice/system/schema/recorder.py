"""How the migrator writes the history: each step as it is done, and why one failed."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import alembic
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from backoffice import __version__
from backoffice.db import utc_now
from backoffice.system.schema.catalogue import (
    Catalogue,
    expected_after,
    keep,
    kept,
    read_catalogue,
)
from backoffice.system.schema.history import (
    ERROR_LENGTH,
    HISTORY,
    Action,
    checksum,
    has_history,
)
from backoffice.system.shell import shell_user


class Recorder:
    """Writes the history of one run of the migrator."""

    def __init__(self, scripts: ScriptDirectory) -> None:
        self._scripts = scripts
        self._step: MigrationInfo | None = None
        self._started_at = utc_now()
        self._clock = time.monotonic()
        self._before: Catalogue | None = None
        self._is_stamp = False

    def watch(self, steps: Callable[..., Any]) -> Callable[..., Iterator[MigrationStep]]:
        """Return Alembic's function of the steps, noting which one begins and when."""

        def watched(heads: Any, ctx: MigrationContext) -> Iterator[MigrationStep]:
            for step in steps(heads, ctx):
                if self._before is None and ctx.connection is not None:
                    self._before = read_catalogue(ctx.connection)
                self._step, self._started_at = step.info, utc_now()
                self._clock = time.monotonic()
                yield step
            self._step = None
            if ctx.connection is not None:
                self.keep_catalogue(ctx.connection)

        return watched

    def applied(self, ctx: MigrationContext, step: MigrationInfo) -> None:
        """Record a step that succeeded, in its own transaction."""
        if ctx.as_sql or ctx.connection is None:
            return
        self._is_stamp |= step.is_stamp
        _prepare(ctx.connection, self._scripts, step.source_revision_ids)
        ctx.connection.execute(HISTORY.insert(), self._rows(ctx.connection, step))

    @property
    def has_begun(self) -> bool:
        """Whether a step has begun and not ended."""
        return self._step is not None

    def failed(self, connection: Connection, error: BaseException) -> None:
        """Record why the step that had begun failed; the caller commits."""
        if self._step is None:
            return
        current = MigrationContext.configure(connection).get_current_heads()
        _prepare(connection, self._scripts, current)
        rows = self._rows(connection, self._step)
        connection.execute(HISTORY.insert(), [row | {"error": describe(error)} for row in rows])
        self.keep_catalogue(connection)

    def keep_catalogue(self, connection: Connection) -> None:
        """Keep what this run made of the schema, to tell later what was done by hand."""
        if self._before is None or not has_history(connection):
            return
        # Who stamps says that the database is right as it is.
        expected = None if self._is_stamp else kept(connection)
        keep(connection, expected_after(expected, self._before, read_catalogue(connection)))

    def _rows(self, connection: Connection, step: MigrationInfo) -> list[dict[str, Any]]:
        facts = _facts(connection) | {
            "action": _action(step),
            "started_at": self._started_at,
            "finished_at": utc_now(),
            "duration_ms": round((time.monotonic() - self._clock) * 1000),
        }
        moved = step.destination_revision_ids if step.is_stamp else step.up_revision_ids
        return [facts | _revision(self._scripts, name) for name in moved or ("base",)]


def describe(error: BaseException) -> str:
    """Return what went wrong in one line without SQL and without the rows that were in the way."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    said = primary or str(cause).strip().partition("\n")[0]
    return f"{type(cause).__name__}: {said}".rstrip(": ")[:ERROR_LENGTH]


def accept(connection: Connection, scripts: ScriptDirectory, revision: str, reason: str) -> None:
    """Record that a revision's file may be as it is now; the caller commits."""
    row = _facts(connection) | _revision(scripts, revision) | {"message": reason[:300]}
    moment = utc_now()
    row |= {"action": Action.ACCEPT, "started_at": moment, "finished_at": moment}
    connection.execute(HISTORY.insert(), [row])


def _prepare(connection: Connection, scripts: ScriptDirectory, before: tuple[str, ...]) -> None:
    """Make the table if it is missing, and note what the database already had."""
    if has_history(connection):
        return
    HISTORY.create(connection)
    known = [name for name in before if _find(scripts, name)]
    steps = scripts.iterate_revisions(tuple(known), "base") if known else ()
    facts = _facts(connection) | {"action": Action.BASELINE}
    rows = [facts | _revision(scripts, step.revision) for step in steps]
    if rows:
        connection.execute(HISTORY.insert(), rows[::-1])


def _facts(connection: Connection) -> dict[str, Any]:
    is_sqlite = connection.dialect.name == "sqlite"
    return {
        "os_user": shell_user()[:100],
        "host": socket.gethostname()[:200],
        "database_user": None
        if is_sqlite
        else connection.scalar(sa.select(sa.func.current_user())),
        "app_version": __version__,
        "alembic_version": alembic.__version__,
    }


def _revision(scripts: ScriptDirectory, name: str) -> dict[str, Any]:
    script = _find(scripts, name)
    if script is None:
        return {"revision": name, "message": "", "down_revision": None, "checksum": None}
    return {
        "revision": script.revision,
        "message": (script.doc or "")[:300],
        "down_revision": ", ".join(script._all_down_revisions) or None,  # noqa: SLF001  no public name
        "checksum": checksum(script.path),
    }


def _find(scripts: ScriptDirectory, name: str) -> Script | None:
    with suppress(CommandError):
        return scripts.get_revision(name) if name != "base" else None
    return None


def _action(step: MigrationInfo) -> Action:
    if step.is_stamp:
        return Action.STAMP
    return Action.UPGRADE if step.is_upgrade else Action.DOWNGRADE
