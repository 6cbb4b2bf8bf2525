"""Where the database's schema stands against the code; reads only, never migrates."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, to_tuple
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from backoffice.errors import UnavailableError
from backoffice.system.schema.history import MIGRATOR_TABLES, checksum

MIGRATIONS_DIR = Path(__file__).resolve().parents[2] / "migrations"
UPGRADE = "flask db upgrade"


class SchemaState(StrEnum):
    """How the schema in the database relates to the revisions of this code."""

    AT_HEAD = "at head"
    PENDING = "pending"
    AHEAD = "ahead"
    SEVERAL_HEADS = "several heads"
    NOT_STAMPED = "not stamped"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema; `is_applied` is None when the database knows a later one than we."""

    id: str
    message: str
    created_at: datetime | None
    down_revisions: tuple[str, ...]
    is_applied: bool | None


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The revisions in the database and in the code; `revisions` is newest first."""

    state: SchemaState
    current: tuple[str, ...]
    heads: tuple[str, ...]
    unknown: tuple[str, ...]
    revisions: tuple[Revision, ...]

    @property
    def pending(self) -> tuple[Revision, ...]:
        """What the next upgrade would apply, in its order."""
        return tuple(step for step in reversed(self.revisions) if step.is_applied is False)

    @property
    def history(self) -> tuple[Revision, ...]:
        """What is applied, newest first."""
        return tuple(step for step in self.revisions if step.is_applied)

    @property
    def is_at_head(self) -> bool:
        """Whether the code may work with this schema."""
        return self.state is SchemaState.AT_HEAD

    @property
    def sentence(self) -> str:
        """What is the case and what to do about it."""
        waiting = len(self.pending)
        migrations = "1 migration waits" if waiting == 1 else f"{waiting} migrations wait"
        return {
            SchemaState.AT_HEAD: "The database schema is the one of this code.",
            SchemaState.PENDING: "The database schema is behind this code: "
            f"{migrations}. Run: {UPGRADE}",
            SchemaState.AHEAD: "The database schema is ahead of this code. "
            "Deploy the version that made it.",
            SchemaState.SEVERAL_HEADS: "The migrations of this code end in several heads. "
            "Join them with: flask db merge heads",
            SchemaState.NOT_STAMPED: "The database has tables, but says nothing of their revision. "
            "Find out which it is, then run: flask db stamp <revision>",
            SchemaState.EMPTY: f"The database is empty. Run: {UPGRADE}",
        }[self.state]


def load_scripts(folder: Path = MIGRATIONS_DIR) -> ScriptDirectory:
    """Return the revisions on disk; the files are read anew only when one of them has changed."""
    return _load(folder, _stamps(folder))


def checksums(folder: Path = MIGRATIONS_DIR) -> dict[str, str]:
    """Return the checksum of each revision's file."""
    return _checksums(folder, _stamps(folder))


_Stamps = tuple[tuple[str, int, int], ...]


def _stamps(folder: Path) -> _Stamps:
    """Return what tells that a file has changed: its name, time and size."""
    with os.scandir(folder / "versions") as entries:
        files = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py")]
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in files))


@lru_cache(maxsize=4)
def _load(folder: Path, _stamps: _Stamps) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    scripts.get_heads()  # builds the graph, once and not in two threads
    return scripts


@lru_cache(maxsize=4)
def _checksums(folder: Path, stamps: _Stamps) -> dict[str, str]:
    steps = _load(folder, stamps).walk_revisions()
    return {step.revision: checksum(step.path) for step in steps}


def read_schema(connection: Connection, folder: Path = MIGRATIONS_DIR) -> SchemaStatus:
    """Compare the revision in the database with the code; creates nothing.

    Raises UnavailableError when the files do not form a graph of revisions.
    """
    current = tuple(sorted(MigrationContext.configure(connection).get_current_heads()))
    try:
        return _compare(load_scripts(folder), current, bool(current) or _has_tables(connection))
    except (CommandError, KeyError) as error:  # KeyError: one follows a revision that is not there
        raise UnavailableError("The migrations of this code do not fit together.") from error


def require_head(engine: Engine) -> None:
    """Raise UnavailableError, saying what to run, unless the schema is the one of this code."""
    try:
        with engine.connect() as connection:
            status = read_schema(connection)
    except DBAPIError as error:
        raise UnavailableError(
            "The database does not answer. Check DATABASE_URL and that the server runs."
        ) from error
    if not status.is_at_head:
        raise UnavailableError(status.sentence)


def _compare(scripts: ScriptDirectory, current: tuple[str, ...], has_tables: bool) -> SchemaStatus:
    heads = tuple(sorted(scripts.get_heads()))
    steps = list(scripts.walk_revisions())
    unknown = tuple(sorted(set(current) - {step.revision for step in steps}))
    applied = None if unknown else _ancestors(scripts, current)
    return SchemaStatus(
        state=_judge(current, heads, unknown, has_tables),
        current=current,
        heads=heads,
        unknown=unknown,
        revisions=tuple(_describe(step, applied) for step in steps),
    )


def _judge(
    current: tuple[str, ...], heads: tuple[str, ...], unknown: tuple[str, ...], has_tables: bool
) -> SchemaState:
    if unknown:
        return SchemaState.AHEAD
    if len(heads) > 1:
        return SchemaState.SEVERAL_HEADS
    if current == heads:
        return SchemaState.AT_HEAD
    if current:
        return SchemaState.PENDING
    return SchemaState.NOT_STAMPED if has_tables else SchemaState.EMPTY


def _ancestors(scripts: ScriptDirectory, current: Iterable[str]) -> set[str]:
    """Return the revisions that led to `current`, itself included."""
    heads = tuple(current)
    if not heads:
        return set()
    return {step.revision for step in scripts.iterate_revisions(heads, "base")}


def _describe(step: Script, applied: set[str] | None) -> Revision:
    return Revision(
        id=step.revision,
        message=step.doc or "",
        created_at=_created_at(step),
        down_revisions=to_tuple(step.down_revision, default=()),
        is_applied=None if applied is None else step.revision in applied,
    )


def _created_at(step: Script) -> datetime | None:
    """Return the `Create Date` of the file's docstring, if it has a readable one."""
    for line in (step.module.__doc__ or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Create Date":
            try:
                moment = datetime.fromisoformat(value.strip())
            except ValueError:
                return None
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _has_tables(connection: Connection) -> bool:
    return bool(set(sa.inspect(connection).get_table_names()) - MIGRATOR_TABLES)
