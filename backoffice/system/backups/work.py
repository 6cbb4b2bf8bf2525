"""What the commands do: make a backup, prove one, restore one, remove some."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from sqlalchemy.engine import URL, make_url

from backoffice import __version__
from backoffice.db import utc_now
from backoffice.errors import DamagedBackupError, RuleViolationError, UnavailableError
from backoffice.system.backups import postgresql, sqlite
from backoffice.system.backups.encrypting import SUFFIXES
from backoffice.system.backups.folder import (
    MANIFEST,
    VERIFICATION,
    Backup,
    check_sums,
    discard,
    find_backup,
    hold,
    list_backups,
    make_backup,
    plain_words,
    sweep,
    write_record,
)
from backoffice.system.backups.manifest import Encryption, Manifest, Verification
from backoffice.system.backups.programs import ProgramError, Step, run
from backoffice.system.backups.retention import Retention, reasons_to_keep
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts

ROOM = 1.2
_KINDS: dict[str, ModuleType] = {"postgresql": postgresql, "sqlite": sqlite}


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the data are now, how long it took, and where the former ones are."""

    name: str
    seconds: float
    former: str = ""


def create_backup(url: URL, settings: BackupSettings, *, label: str = "") -> Backup:
    """Back up the database; whatever goes wrong, nothing is left that looks like a backup."""
    folder = settings.require_folder()
    kind, encryption, started_at = _KINDS[url.get_backend_name()], settings.encryption, utc_now()
    _require_room(folder, kind.expected_bytes(url), encryption)

    def fill(partial: Path) -> None:
        file = partial / f"database{kind.SUFFIX}{SUFFIXES[encryption]}"
        dump = kind.dump(url, settings, file)
        manifest = Manifest(
            started_at=started_at,
            finished_at=utc_now(),
            app_version=__version__,
            environment=settings.environment,
            file=file.name,
            bytes=file.stat().st_size,
            encryption=encryption,
            dump=dump,
        )
        write_record(partial, MANIFEST, manifest)

    return make_backup(folder, started_at, label, fill)


def verify_backup(url: URL, settings: BackupSettings, name: str, *, quick: bool) -> Verification:
    """Prove that a backup is whole, and unless `quick` that it becomes what was backed up.

    The outcome is kept beside the backup, where the console sees it; a quick look that finds
    nothing is no proof. Raises DamagedBackupError.
    """
    backup = find_backup(settings.require_folder(), name)
    backup.require_manifest()
    with hold(backup.path, shared=True):
        try:
            check_sums(backup)
            found = _prove(backup, url, settings, quick=quick)
        except DamagedBackupError as error:
            write_record(backup.path, VERIFICATION, Verification(at=utc_now(), problem=str(error)))
            raise
        if not quick:
            write_record(backup.path, VERIFICATION, found)
    return found


def restore_backup(
    url: URL, settings: BackupSettings, name: str, *, into: str = "", with_grants: bool = True
) -> Restored:
    """Restore into a new database beside the configured one, which stays as it is."""
    backup = _whole_backup(url, settings, name)
    kind = _KINDS[url.get_backend_name()]
    into = into or kind.default_name(url, utc_now())
    started = time.monotonic()
    with hold(backup.path, shared=True):
        check_sums(backup)
        kind.restore_new(backup, settings, url, into, with_grants=with_grants)
    return Restored(into, time.monotonic() - started)


def replace_database(
    url: URL, settings: BackupSettings, name: str, *, confirmed: str = "", with_grants: bool = True
) -> Restored:
    """Put a backup in the place of the configured database, and keep the former one.

    Raises RuleViolationError in production unless the database is named by `confirmed`.
    """
    database = _name(url)
    if settings.is_real and confirmed != database:
        raise RuleViolationError(
            f"APP_ENV is {settings.environment}. To replace its database, name it: "
            f"--confirm {database}"
        )
    backup = _whole_backup(url, settings, name)
    _require_known_revision(backup)
    started = time.monotonic()
    with hold(backup.path, shared=True):
        check_sums(backup)
        kind = _KINDS[url.get_backend_name()]
        former = kind.replace(backup, settings, url, utc_now(), with_grants=with_grants)
    return Restored(database, time.monotonic() - started, former)


def prune_backups(
    settings: BackupSettings, retention: Retention, *, really: bool
) -> tuple[dict[str, list[str]], list[Backup]]:
    """Return {name: why it stays} and those to remove, which are removed only if `really`.

    Damaged ones are neither: somebody must look at them.
    """
    folder = settings.require_folder()
    readable = [backup for backup in list_backups(folder) if backup.manifest]
    kept = reasons_to_keep(readable, retention)
    doomed = [backup for backup in readable if backup.name not in kept]
    if really:
        for backup in doomed:
            discard(backup)
        with plain_words("read"):
            sweep(folder)
    return kept, doomed


def current_heads() -> tuple[str, ...]:
    """Return the revisions of this code."""
    return tuple(sorted(load_scripts().get_heads()))


def _prove(backup: Backup, url: URL, settings: BackupSettings, *, quick: bool) -> Verification:
    kind = _KINDS[backup.require_manifest().dump.database]
    if quick:
        kind.check_dump(backup, settings)
        return Verification(at=utc_now())
    started = time.monotonic()
    with kind.rehearsal(backup, settings, _scratch_server(backup, url, settings)) as scratch:
        seconds = time.monotonic() - started
        is_older = _is_older(backup)
        if is_older:
            _upgrade(scratch)
    return Verification(at=utc_now(), restore_seconds=seconds, was_upgraded=is_older)


def _is_older(backup: Backup) -> bool:
    """Whether this code has migrations that the backup has yet to go through."""
    found = set(backup.require_manifest().dump.contents.revisions)
    return found != set(current_heads()) and found <= _known_revisions()


def _upgrade(scratch: URL) -> None:
    """Migrate a restored database in a process of its own; raises UnavailableError."""
    where = {"DATABASE_URL": scratch.render_as_string(hide_password=False)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "db", "upgrade"]
    try:
        run(Step(command, where, MIGRATIONS_DIR.parent))
    except ProgramError as error:
        raise UnavailableError(
            "The backup can be restored, but the migrations of this code fail on it. "
            "Use it with the version that made it."
        ) from error


def _known_revisions() -> set[str]:
    return {step.revision for step in load_scripts().walk_revisions()}


def _scratch_server(backup: Backup, url: URL, settings: BackupSettings) -> URL:
    if settings.scratch_url:
        return make_url(settings.scratch_url)
    if backup.require_manifest().dump.database == "postgresql" != url.get_backend_name():
        raise UnavailableError(
            "This is a backup of PostgreSQL. Set BACKUP_SCRATCH_URL to a server to try it on."
        )
    return url


def _whole_backup(url: URL, settings: BackupSettings, name: str) -> Backup:
    backup = find_backup(settings.require_folder(), name)
    if backup.require_manifest().dump.database != url.get_backend_name():
        raise RuleViolationError(
            "The backup and DATABASE_URL are of different kinds of database. Nothing was changed."
        )
    return backup


def _require_known_revision(backup: Backup) -> None:
    if not _known_revisions().issuperset(backup.require_manifest().dump.contents.revisions):
        raise RuleViolationError(
            "The backup is of a later schema than this code has. Nothing was changed; "
            "deploy the version that made it, or restore into a new database."
        )


def _require_room(folder: Path, expected: int, encryption: Encryption) -> None:
    """Raise UnavailableError unless the next backup fits beside the others."""
    known = [backup.manifest.bytes for backup in list_backups(folder)[:1] if backup.manifest]
    wanted = max(
        round(ROOM * max(known, default=0)), expected * (1 if encryption is Encryption.NONE else 2)
    )
    with plain_words("read"):
        free = shutil.disk_usage(folder).free
    if free < wanted:
        raise UnavailableError(
            f"The disk of the backups has {free // 2**20:,} MB left, and the next backup may "
            f"take {wanted // 2**20:,} MB. Make room: flask backup prune"
        )


def _name(url: URL) -> str:
    return Path(url.database or "").name
