"""What was done to the schema: every upgrade, downgrade, stamp and failure, by whom and when.

The migrator makes the table and writes it; like Alembic's own it belongs to no migration, so that
it is there from the first and outlives the last that is undone.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import alembic
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from backoffice import __version__
from backoffice.db import NAMING_CONVENTION, BigId, UtcDateTimeType, text_enum, utc_now
from backoffice.system.shell import shell_user

MIGRATOR_TABLES = frozenset({"alembic_version", "schema_history"})
_ERROR_LENGTH = 500


class Action(StrEnum):
    """What was done with a revision; a baseline was there before anything was recorded."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    STAMP = "stamp"
    BASELINE = "baseline"
    ACCEPT = "accept"


HISTORY = sa.Table(
    "schema_history",
    sa.MetaData(naming_convention=NAMING_CONVENTION),
    sa.Column("id", BigId, sa.Identity(), primary_key=True),
    sa.Column("revision", sa.String(64), nullable=False),
    sa.Column("action", text_enum(Action, "action"), nullable=False),
    sa.Column("down_revision", sa.String(200)),
    sa.Column("message", sa.String(300), nullable=False),
    sa.Column("checksum", sa.CHAR(64)),
    sa.Column("started_at", UtcDateTimeType()),
    sa.Column("finished_at", UtcDateTimeType()),
    sa.Column("duration_ms", sa.Integer),
    sa.Column("error", sa.String(_ERROR_LENGTH)),
    sa.Column("os_user", sa.String(100)),
    sa.Column("host", sa.String(200)),
    sa.Column("database_user", sa.String(100)),
    sa.Column("app_version", sa.String(40)),
    sa.Column("alembic_version", sa.String(20)),
    sa.Column("catalogue", sa.JSON),
    sa.Index(None, "revision"),
)


def is_ours(name: str | None, kind: str, _parents: Any = None) -> bool:
    """Whether autogenerate is to look at it: what is in no model is the migrator's own.

    Those are its tables, and the indexes of trigrams, which not every server can have.
    """
    is_trigrams = kind == "index" and (name or "").endswith("_trgm")
    return not (is_trigrams or (kind == "table" and name in MIGRATOR_TABLES))


def checksum(path: str | Path) -> str:
    """Return the SHA-256 of a revision's file, whatever its line ends."""
    return hashlib.sha256(Path(path).read_bytes().replace(b"\r\n", b"\n")).hexdigest()


class Recorder:
    """Writes the history of one run of the migrator."""

    def __init__(self, scripts: ScriptDirectory) -> None:
        self._scripts = scripts
        self._step: MigrationInfo | None = None
        self._started_at = utc_now()
        self._clock = time.monotonic()

    def watch(self, steps: Callable[..., Any]) -> Callable[..., Iterator[MigrationStep]]:
        """Return Alembic's function of the steps, noting which one begins and when."""

        def watched(heads: Any, ctx: MigrationContext) -> Iterator[MigrationStep]:
            for step in steps(heads, ctx):
                self._step, self._started_at = step.info, utc_now()
                self._clock = time.monotonic()
                yield step
            self._step = None

        return watched

    def applied(self, ctx: MigrationContext, step: MigrationInfo) -> None:
        """Record a step that succeeded, in its own transaction."""
        if ctx.as_sql or ctx.connection is None:
            return
        _prepare(ctx.connection, self._scripts, step.source_revision_ids)
        ctx.connection.execute(HISTORY.insert(), self._rows(ctx.connection, step))

    def failed(self, connection: Connection, error: BaseException) -> None:
        """Record why the step that had begun failed, if one had; the caller commits."""
        if self._step is None:
            return
        current = MigrationContext.configure(connection).get_current_heads()
        _prepare(connection, self._scripts, current)
        rows = self._rows(connection, self._step)
        connection.execute(HISTORY.insert(), [row | {"error": describe(error)} for row in rows])

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
    return f"{type(cause).__name__}: {said}".rstrip(": ")[:_ERROR_LENGTH]


def accept(connection: Connection, scripts: ScriptDirectory, revision: str, reason: str) -> None:
    """Record that a revision's file may be as it is now; the caller commits."""
    row = _facts(connection) | _revision(scripts, revision) | {"message": reason[:300]}
    moment: datetime = utc_now()
    row |= {"action": Action.ACCEPT, "started_at": moment, "finished_at": moment}
    connection.execute(HISTORY.insert(), [row])


def _prepare(connection: Connection, scripts: ScriptDirectory, before: tuple[str, ...]) -> None:
    """Make the table if it is missing, and note what the database already had."""
    if sa.inspect(connection).has_table(HISTORY.name):
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
