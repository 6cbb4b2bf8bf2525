"""Which backups stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backoffice.system.backups.folder import Backup
from backoffice.system.backups.manifest import (
    Contents,
    Dump,
    Encryption,
    Manifest,
    Verification,
)
from backoffice.system.backups.retention import Retention, reasons_to_keep

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
NONE = Retention(daily=0, weekly=0, monthly=0, least=1)


def backup(days_ago: float, *, problem: str | None = None) -> Backup:
    """A backup of that age; with a `problem`, even an empty one, it was tried."""
    at = NOW - timedelta(days=days_ago)
    manifest = Manifest(
        started_at=at,
        finished_at=at,
        app_version="1",
        environment="production",
        file="database.dump",
        bytes=1,
        encryption=Encryption.NONE,
        dump=Dump(
            database="postgresql",
            database_name="shop",
            server_version="16",
            tool_version="16",
            contents=Contents(revisions=(), tables={}),
        ),
    )
    proof = None if problem is None else Verification(at=NOW, problem=problem, restore_seconds=1)
    return Backup(Path(f"{at:%Y%m%dT%H%M%SZ}"), manifest, proof)


def kept_days(backups: Sequence[Backup], retention: Retention) -> list[int]:
    """Return how many days ago the backups that stay were made."""
    kept = reasons_to_keep(backups, retention)
    return [(NOW - one.taken_at).days for one in backups if one.name in kept]


def test_a_year_of_nights_leaves_days_weeks_and_months() -> None:
    year = [backup(days) for days in range(365)]

    kept = kept_days(year, Retention(daily=7, weekly=4, monthly=6, least=3))

    # 20 November is a Friday: the weeks end on the Sundays before, the months on their last days.
    assert kept == [0, 1, 2, 3, 4, 5, 6, 12, 19, 20, 51, 81, 112, 143]


def test_of_several_a_day_the_newest_stays() -> None:
    day = [backup(hours / 24) for hours in (0, 1, 2)]

    assert list(reasons_to_keep(day, Retention(1, 0, 0, 1))) == [day[0].name]


def test_the_newest_stays_whatever_is_said() -> None:
    assert kept_days([backup(0), backup(1)], Retention(0, 0, 0, 0)) == [0]


def test_the_last_verified_stays_however_old() -> None:
    backups = [backup(0), backup(40), backup(90, problem=""), backup(100, problem="")]

    assert kept_days(backups, NONE) == [0, 90]


def test_one_that_failed_its_proof_is_not_verified() -> None:
    backups = [backup(0), backup(40, problem="damaged"), backup(90, problem="")]

    assert kept_days(backups, NONE) == [0, 90]


def test_pauses_do_not_use_up_the_days() -> None:
    backups = [backup(days) for days in (0, 30, 60, 90)]

    assert kept_days(backups, Retention(daily=3, weekly=0, monthly=0, least=1)) == [0, 30, 60]


def test_nothing_to_keep_is_nothing() -> None:
    assert reasons_to_keep([], Retention()) == {}
