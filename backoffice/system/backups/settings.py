"""What the operator has set about backups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backoffice.errors import UnavailableError
from backoffice.system.backups.manifest import Encryption


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Where backups lie, for whom they are encrypted and when somebody must be told."""

    environment: str
    folder: Path | None
    max_age_hours: int
    max_unverified_days: int
    scratch_url: str = field(default="", repr=False)
    age_recipients: tuple[str, ...] = ()
    age_identity: Path | None = None
    gpg_recipients: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BackupSettings:
        """Return them as the application was configured."""
        folder, identity = config["BACKUP_FOLDER"], config["BACKUP_AGE_IDENTITY_FILE"]
        return cls(
            environment=config["APP_ENV"],
            folder=Path(folder) if folder else None,
            max_age_hours=config["BACKUP_MAX_AGE_HOURS"],
            max_unverified_days=config["BACKUP_MAX_UNVERIFIED_DAYS"],
            scratch_url=config["BACKUP_SCRATCH_URL"],
            age_recipients=tuple(config["BACKUP_AGE_RECIPIENTS"]),
            age_identity=Path(identity) if identity else None,
            gpg_recipients=tuple(config["BACKUP_GPG_RECIPIENTS"]),
        )

    @property
    def encryption(self) -> Encryption:
        """How the next backup is encrypted."""
        if self.age_recipients:
            return Encryption.AGE
        return Encryption.GPG if self.gpg_recipients else Encryption.NONE

    @property
    def is_real(self) -> bool:
        """Whether losing this database would be a loss."""
        return self.environment in ("production", "staging")

    def require_folder(self) -> Path:
        """Return the folder; raise UnavailableError when there is none.

        In development it is made. Elsewhere it is not: a disk that is not mounted must not pass
        for an empty folder.
        """
        if self.folder is None:
            raise UnavailableError("BACKUP_FOLDER is not set. Set it to the folder for backups.")
        if self.environment == "development":
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if not self.folder.is_dir():
            raise UnavailableError(
                "The folder of BACKUP_FOLDER does not exist. Make it, or mount its disk."
            )
        return self.folder
