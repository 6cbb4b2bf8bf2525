"""What a backup says of itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from backoffice.errors import DamagedBackupError


class Encryption(StrEnum):
    """What reads the dump must pass through first."""

    NONE = "none"
    AGE = "age"
    GPG = "gpg"


class Proof(StrEnum):
    """Whether a backup is known to become what was backed up."""

    NONE = "not verified"
    VERIFIED = "verified"
    DAMAGED = "damaged"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableFacts(_Record):
    """How many rows a table has; `digest` stands for their content, in any order."""

    rows: int
    digest: str = ""


class Contents(_Record):
    """What is in a database: enough to tell whether another one holds the same."""

    revisions: tuple[str, ...]
    tables: dict[str, TableFacts]

    @property
    def rows(self) -> int:
        """How many rows all tables have."""
        return sum(facts.rows for facts in self.tables.values())

    def require_same(self, found: Contents) -> None:
        """Raise DamagedBackupError, naming the first difference, unless `found` is the same."""
        if found.revisions != self.revisions:
            raise DamagedBackupError("The restored schema is not at the revision of the backup.")
        for name in sorted(self.tables.keys() | found.tables.keys()):
            wanted, got = self.tables.get(name), found.tables.get(name)
            if wanted is None or got is None:
                raise DamagedBackupError(f"The table {name} is only in one of the two databases.")
            if wanted.rows != got.rows:
                raise DamagedBackupError(
                    f"The table {name} has {got.rows:,} rows once restored, not {wanted.rows:,}."
                )
            if wanted.digest != got.digest:
                raise DamagedBackupError(f"The rows of {name} differ once restored.")


class Dump(_Record):
    """The dump itself; `content_sha256` is taken before encryption, where the file is the data."""

    database: Literal["postgresql", "sqlite"]
    database_name: str
    server_version: str
    tool_version: str
    contents: Contents
    content_sha256: str = ""


class Manifest(_Record):
    """What was backed up, when, by what, and how to read it."""

    format: Literal[1] = 1
    started_at: AwareDatetime
    finished_at: AwareDatetime
    app_version: str
    environment: str
    file: str = Field(pattern=r"^database\.[a-z.]+$")
    bytes: int
    encryption: Encryption
    dump: Dump

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


class Verification(_Record):
    """How the last proof went; `restore_seconds` is None when it did not come that far."""

    at: AwareDatetime
    was_upgraded: bool = False
    problem: str = ""
    restore_seconds: float | None = None


def age_in_hours(moment: datetime, now: datetime) -> float:
    """Return how long ago that was, in hours."""
    return (now - moment).total_seconds() / 3600
