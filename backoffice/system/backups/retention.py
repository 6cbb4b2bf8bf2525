"""Which backups to keep: so many days, weeks and months, and never the last that is proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backoffice.system.backups.folder import Backup


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days, weeks and months (UTC) keep their newest; `least` are kept anyway."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    least: int = 3


def reasons_to_keep(backups: Sequence[Backup], retention: Retention) -> dict[str, list[str]]:
    """Return {name: why} of the backups to keep; `backups` is newest first, none damaged."""
    kept: dict[str, list[str]] = {backup.name: [] for backup in backups}
    for backup in backups[: max(1, retention.least)]:
        kept[backup.name].append("recent")
    if proved := next((backup for backup in backups if backup.is_verified), None):
        kept[proved.name].append("last verified")
    for word, pattern, periods in (
        ("daily", "%Y-%m-%d", retention.daily),
        ("weekly", "%G-%V", retention.weekly),
        ("monthly", "%Y-%m", retention.monthly),
    ):
        for backup in _newest_of_each(backups, pattern)[:periods]:
            kept[backup.name].append(word)
    return {name: why for name, why in kept.items() if why}


def _newest_of_each(backups: Sequence[Backup], pattern: str) -> list[Backup]:
    found: dict[str, Backup] = {}
    for backup in backups:
        found.setdefault(backup.taken_at.strftime(pattern), backup)
    return list(found.values())
