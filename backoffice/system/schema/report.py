"""Everything that operators ask about the schema, found out in one go, and the verdicts on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from backoffice import models  # noqa: F401  maps the tables
from backoffice.db import Base, utc_now
from backoffice.system.examination import Examination, Outcome
from backoffice.system.migrations import (
    MIGRATIONS_DIR,
    SchemaState,
    SchemaStatus,
    checksums,
    load_scripts,
    read_schema,
)
from backoffice.system.schema.catalogue import Difference, kept
from backoffice.system.schema.drift import Leftover, read_drift, read_leftovers
from backoffice.system.schema.history import (
    Entry,
    has_history,
    read_history,
    recorded_checksums,
)
from backoffice.system.schema.locks import is_migrating
from backoffice.system.schema.plan import PlannedStep, make_plan

HISTORY_SHOWN = 100
STEPS_SHOWN = 50
T = TypeVar("T")


class Code(IntEnum):
    """The exit codes of `flask db-check`, the worst first where several hold; 2 is Click's."""

    AT_HEAD = 0
    ERROR = 1
    PENDING = 3
    AHEAD = 4
    SEVERAL_HEADS = 5
    NOT_STAMPED = 6
    CHANGED = 7
    DRIFT = 8
    INVALID = 9
    RUNNING = 10
    NO_DATABASE = 11


_STATES = {
    SchemaState.AT_HEAD: (Code.AT_HEAD, Outcome.PASS),
    SchemaState.PENDING: (Code.PENDING, Outcome.FAIL),
    SchemaState.EMPTY: (Code.PENDING, Outcome.FAIL),
    SchemaState.AHEAD: (Code.AHEAD, Outcome.FAIL),
    SchemaState.SEVERAL_HEADS: (Code.SEVERAL_HEADS, Outcome.FAIL),
    SchemaState.NOT_STAMPED: (Code.NOT_STAMPED, Outcome.FAIL),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that is the case, and what to do about it."""

    code: Code
    outcome: Outcome
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """The schema as it was at one moment; what could not be read is in `unread`."""

    status: SchemaStatus
    database: str
    read_at: datetime
    running: bool | None = None
    plan: tuple[PlannedStep, ...] = ()
    entries: tuple[Entry, ...] = ()
    is_kept: bool = False
    changed: tuple[str, ...] = ()
    drift: tuple[Difference, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The state first, then what else there is to say."""
        code, outcome = _STATES[self.status.state]
        state = Verdict(code, outcome, self.status.state.value, self.status.sentence)
        return (state, *(said for said in self._remarks() if said))

    @property
    def code(self) -> Code:
        """The exit code: of the first verdict that is not good."""
        if self.running:
            return Code.RUNNING
        return next((said.code for said in self.verdicts if said.code), Code.AT_HEAD)

    def fate(self, entry: Entry) -> str:
        """What has become of the file that an entry of the history was made of."""
        if entry.checksum is None:
            return ""
        if entry.revision not in self.files:
            return "file missing"
        return "as recorded" if self.files[entry.revision] == entry.checksum else "file changed"

    def _remarks(self) -> list[Verdict | None]:
        return [
            _remark(Code.RUNNING, "running", self.running, "A migration is running now."),
            _remark(
                Code.CHANGED,
                "file changed",
                self.changed,
                f"The file of {', '.join(self.changed)} is not the one that was applied. "
                "If that is right: flask db-accept <revision>",
            ),
            _remark(
                Code.DRIFT,
                "drift",
                self.drift,
                f"{_count(self.drift, 'object differs', 'objects differ')} from what the "
                "migrations made. Undo the change by hand, or write a migration that makes it.",
            ),
            _remark(
                Code.INVALID,
                "invalid",
                self.leftovers,
                _count(
                    self.leftovers,
                    "index or constraint does not count yet.",
                    "indexes and constraints do not count yet.",
                ),
            ),
        ]


def _remark(code: Code, word: str, found: object, sentence: str) -> Verdict | None:
    return Verdict(code, Outcome.WARN, word, sentence) if found else None


def _count(found: tuple[object, ...], one: str, many: str) -> str:
    return f"1 {one}" if len(found) == 1 else f"{len(found)} {many}"


def read_report(
    engine: Engine, folder: Path = MIGRATIONS_DIR, *, steps: int = STEPS_SHOWN
) -> SchemaReport:
    """Look at everything on one short read-only connection; writes nothing.

    Raises UnavailableError when the database does not answer or the migrations do not fit together.
    """
    with Examination(engine) as look:
        return _Reading(look.connection(), folder, steps).report()


class _Reading:
    """One reading; a part that the database refuses does not stop the others."""

    def __init__(self, connection: Connection, folder: Path, steps: int) -> None:
        self._connection = connection
        self._folder = folder
        self._steps = steps
        self._unread: list[str] = []

    def report(self) -> SchemaReport:
        connection = self._connection
        status = read_schema(connection, self._folder)
        recorded = has_history(connection)
        files = checksums(self._folder)
        # Only at head are the models what the database should be.
        metadata = Base.metadata if status.is_at_head else None
        return SchemaReport(
            status=status,
            database=_database(connection),
            read_at=utc_now(),
            is_kept=recorded and kept(connection) is not None,
            files=files,
            running=self._try("running migrations", lambda: is_migrating(connection), None),
            plan=self._try("the plan", lambda: self._plan(status), ()),
            entries=read_history(connection, HISTORY_SHOWN) if recorded else (),
            changed=self._changed(status, files) if recorded else (),
            drift=self._try("drift", lambda: read_drift(connection, metadata), ()),
            leftovers=self._try("invalid indexes", lambda: read_leftovers(connection), ()),
            unread=tuple(self._unread),
        )

    def _try(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except DBAPIError:  # a time-out or a lock: somebody is changing the tables
            self._unread.append(what)
            return otherwise

    def _plan(self, status: SchemaStatus) -> tuple[PlannedStep, ...]:
        if status.state is SchemaState.NOT_STAMPED:  # nobody knows which of them wait
            return ()
        scripts = load_scripts(self._folder)
        pending = status.pending[: self._steps]
        return make_plan(
            self._connection, [(step, scripts.get_revision(step.id)) for step in pending]
        )

    def _changed(self, status: SchemaStatus, files: dict[str, str]) -> tuple[str, ...]:
        recorded = recorded_checksums(self._connection)
        return tuple(
            step.id
            for step in status.history
            if recorded.get(step.id, files[step.id]) != files[step.id]
        )


def _database(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.scalar(sa.text('SELECT sqlite_version()'))}"
    name, user, version = connection.execute(
        sa.text("SELECT current_database(), current_user, split_part(version(), ' ', 2)")
    ).one()
    return f"PostgreSQL {version}, database {name}, as {user}"
