"""How the backups stand, for the console and the health checks; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backoffice.errors import BackofficeError
from backoffice.system.backups.folder import Backup, list_backups
from backoffice.system.backups.manifest import Proof, age_in_hours
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.examination import Outcome, Result


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """All backups, newest first; `problem` says why they cannot be seen."""

    backups: tuple[Backup, ...] = ()
    problem: str = ""

    @property
    def latest(self) -> Backup | None:
        """The newest that is not known to be damaged."""
        return next((one for one in self.backups if one.proof is not Proof.DAMAGED), None)

    @property
    def latest_verified(self) -> Backup | None:
        """The newest whose proof went well."""
        return next((one for one in self.backups if one.is_verified), None)

    @property
    def damaged(self) -> tuple[Backup, ...]:
        """Those that are known to be damaged."""
        return tuple(one for one in self.backups if one.proof is Proof.DAMAGED)


def summarise(settings: BackupSettings) -> BackupSummary:
    """Return how the backups stand; what stands in the way becomes its `problem`."""
    try:
        return BackupSummary(tuple(list_backups(settings.require_folder())))
    except BackofficeError as error:
        return BackupSummary(problem=str(error))


def backup_health(settings: BackupSettings, now: datetime) -> Result | None:
    """Look into the folder and return how it stands; see `judge_backups`."""
    return judge_backups(settings, summarise(settings), now)


def judge_backups(settings: BackupSettings, summary: BackupSummary, now: datetime) -> Result | None:
    """Return the age of the newest backup in hours and what it means.

    None where nobody needs a backup and there is none.
    """
    if not settings.is_real and not summary.backups:
        return None
    latest = summary.latest
    if latest is None or latest.manifest is None:
        sentence = (
            summary.problem or "There is no backup that can be used. Run: flask backup create"
        )
        return Result(Outcome.WARN, sentence)
    hours = round(age_in_hours(latest.taken_at, now), 1)
    warning = _warning(settings, summary, hours, now)
    sentence = warning or "The newest backup is recent, and one was lately proved."
    return Result(Outcome.WARN if warning else Outcome.PASS, sentence, hours, "h")


def _warning(settings: BackupSettings, summary: BackupSummary, hours: float, now: datetime) -> str:
    if summary.damaged:
        return "A backup is damaged. See which: flask backup list"
    if hours > settings.max_age_hours:
        return "The newest backup is old. Run: flask backup create"
    proved = summary.latest_verified
    if proved is None or proved.verification is None:
        return "No backup has been proved. Run: flask backup verify"
    if age_in_hours(proved.verification.at, now) > settings.max_unverified_days * 24:
        return "The last proof of a backup is long ago. Run: flask backup verify"
    return ""
