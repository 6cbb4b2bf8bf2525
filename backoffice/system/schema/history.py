"""What was done to the schema: every upgrade, downgrade, stamp and failure, by whom and when.

The migrator makes the table and writes it; like Alembic's own it belongs to no migration, so that
it is there from the first and outlives the last that is undone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from backoffice.db import NAMING_CONVENTION, BigId, UtcDateTimeType, text_enum

MIGRATOR_TABLES = frozenset({"alembic_version", "schema_history"})
ERROR_LENGTH = 500


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
    sa.Column("error", sa.String(ERROR_LENGTH)),
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history."""

    revision: str
    action: Action
    message: str
    checksum: str | None
    finished_at: datetime | None
    duration_ms: int | None
    error: str | None
    os_user: str | None
    host: str | None
    database_user: str | None
    app_version: str | None

    @property
    def who(self) -> str:
        """The account and the machine that ran it."""
        return f"{self.os_user}@{self.host}" if self.action is not Action.BASELINE else ""


_COLUMNS = [HISTORY.c[name] for name in Entry.__dataclass_fields__]
# What a revision's file was when it was last said to be right.
_VOUCHED = (Action.UPGRADE, Action.STAMP, Action.BASELINE, Action.ACCEPT)


def has_history(connection: Connection) -> bool:
    """Whether the migrator has recorded anything here."""
    return sa.inspect(connection).has_table(HISTORY.name)


def read_history(connection: Connection, limit: int) -> tuple[Entry, ...]:
    """Return the newest entries first."""
    rows = connection.execute(sa.select(*_COLUMNS).order_by(HISTORY.c.id.desc()).limit(limit))
    return tuple(Entry(*row) for row in rows)


def recorded_checksums(connection: Connection) -> dict[str, str]:
    """Return the checksum that each revision's file had when it was last applied or accepted."""
    newest = (
        sa.select(sa.func.max(HISTORY.c.id))
        .where(HISTORY.c.action.in_(_VOUCHED), HISTORY.c.error.is_(None))
        .group_by(HISTORY.c.revision)
    )
    rows = connection.execute(
        sa.select(HISTORY.c.revision, HISTORY.c.checksum).where(
            HISTORY.c.id.in_(newest), HISTORY.c.checksum.is_not(None)
        )
    )
    return {row.revision: row.checksum for row in rows}
