"""When somebody is told about the backups."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backoffice.system.backups.folder import Backup
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.summary import BackupSummary, backup_health, judge_backups
from backoffice.system.examination import Outcome
from tests.unit.backups.test_retention import NOW, backup

SETTINGS = BackupSettings(
    environment="production", folder=None, max_age_hours=26, max_unverified_days=8
)


@pytest.mark.parametrize(
    ("backups", "outcome", "hours", "sentence"),
    [
        ([backup(0.5, problem="")], "pass", 12, "The newest backup is recent, and one was"),
        ([backup(0.5), backup(3, problem="")], "pass", 12, "The newest backup is recent"),
        ([backup(2, problem="")], "warn", 48, "The newest backup is old. Run: flask backup create"),
        ([backup(0.5)], "warn", 12, "No backup has been proved. Run: flask backup verify"),
        ([backup(0.5, problem="Bad.")], "warn", None, "There is no backup that can be used."),
        ([backup(0.5, problem=""), backup(1, problem="Bad.")], "warn", 12, "A backup is damaged."),
        ([], "warn", None, "There is no backup that can be used. Run: flask backup create"),
    ],
)
def test_what_is_told(
    backups: list[Backup], outcome: str, hours: float | None, sentence: str
) -> None:
    result = judge_backups(SETTINGS, BackupSummary(tuple(backups)), NOW)

    assert result is not None
    assert (result.outcome.value, result.value) == (outcome, hours)
    assert result.sentence.startswith(sentence)


def test_a_proof_grows_old() -> None:
    summary = BackupSummary((backup(0.5, problem=""),))

    result = judge_backups(replace(SETTINGS, max_age_hours=9999), summary, NOW + timedelta(days=9))

    assert result is not None
    assert result.outcome is Outcome.WARN
    assert result.sentence.startswith("The last proof of a backup is long ago.")


def test_production_without_a_folder_is_a_warning() -> None:
    result = backup_health(SETTINGS, NOW)

    assert result is not None
    assert result.outcome is Outcome.WARN
    assert result.sentence.startswith("BACKUP_FOLDER is not set.")


def test_a_desk_without_backups_is_left_in_peace() -> None:
    assert backup_health(replace(SETTINGS, environment="testing"), NOW) is None
