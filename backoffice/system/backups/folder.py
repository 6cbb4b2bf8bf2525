"""The folder of backups: what is in it, and how one comes and goes whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from backoffice.errors import DamagedBackupError, NotFoundError, UnavailableError
from backoffice.system.backups.manifest import Manifest, Proof, Verification

NAME = re.compile(r"\d{8}T\d{6}Z(-[a-z0-9]+)*")
LATEST = "latest"
MANIFEST, SUMS, VERIFICATION = "manifest.json", "SHA256SUMS", "verification.json"
_PARTIAL, _DISCARDED = ".partial-", ".discarded-"
_LARGEST_RECORD = 4 * 1024 * 1024
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup; without a manifest it is damaged, and `problem` says how."""

    path: Path
    manifest: Manifest | None
    verification: Verification | None
    problem: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.name

    @property
    def taken_at(self) -> datetime:
        """The moment whose data it holds; raises DamagedBackupError without a manifest."""
        return self.require_manifest().started_at

    @property
    def proof(self) -> Proof:
        """What is known of whether it can be restored."""
        if self.manifest is None:
            return Proof.DAMAGED
        if self.verification is None:
            return Proof.NONE
        return Proof.DAMAGED if self.verification.problem else Proof.VERIFIED

    @property
    def is_verified(self) -> bool:
        """Whether its last proof went well."""
        return self.proof is Proof.VERIFIED

    def require_manifest(self) -> Manifest:
        """Return what the backup says of itself; raise DamagedBackupError if that is lost."""
        if self.manifest is None:
            raise DamagedBackupError(self.problem)
        return self.manifest


def list_backups(folder: Path) -> list[Backup]:
    """Return all backups, newest first."""
    with plain_words("read"):
        names = [path for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
        return [_load(path) for path in sorted(names, key=lambda path: path.name, reverse=True)]


def find_backup(folder: Path, name: str) -> Backup:
    """Return the named backup, or the newest for `latest`; raise NotFoundError."""
    if name == LATEST:
        backups = list_backups(folder)
        if not backups:
            raise NotFoundError("There is no backup yet. Make one: flask backup create")
        return backups[0]
    if not NAME.fullmatch(name) or not (folder / name).is_dir():
        raise NotFoundError("There is no backup of that name. See: flask backup list")
    with plain_words("read"):
        return _load(folder / name)


def check_sums(backup: Backup) -> None:
    """Read every byte; raise DamagedBackupError unless all are as they were written."""
    manifest = backup.require_manifest()
    with plain_words("read"):
        expected = _read_sums(backup.path)
        if set(expected) != {MANIFEST, manifest.file}:
            raise DamagedBackupError("The list of checksums of this backup is damaged.")
        for name, digest in expected.items():
            if not (backup.path / name).is_file():
                raise DamagedBackupError(f"{name} of this backup is missing.")
            if sha256(backup.path / name) != digest:
                raise DamagedBackupError(
                    f"{name} of this backup is damaged: its checksum is not the recorded one."
                )


def make_backup(
    folder: Path, started_at: datetime, label: str, fill: Callable[[Path], None]
) -> Backup:
    """Let `fill` write into a hidden folder; it becomes a backup once it is whole and on disk."""
    with plain_words("written"):
        sweep(folder)
        partial = folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        partial.mkdir(mode=0o700)
        try:
            with hold(partial):
                fill(partial)
                _seal(partial)
                name = f"{started_at:%Y%m%dT%H%M%SZ}" + (f"-{label}" if label else "")
                return _load(_publish(partial, name))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def write_record(folder: Path, name: str, record: BaseModel) -> None:
    """Write one of the JSON files, whole or not at all."""
    with plain_words("written"):
        draft = folder / f".{name}.{secrets.token_hex(4)}"
        try:
            draft.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
            draft.chmod(0o640)
            sync(draft)
            draft.replace(folder / name)
            sync(folder)
        finally:
            draft.unlink(missing_ok=True)


def discard(backup: Backup) -> None:
    """Remove a backup, at once for everybody who looks; raises UnavailableError if it is in use."""
    with plain_words("removed"), hold(backup.path):
        doomed = backup.path.with_name(f"{_DISCARDED}{backup.name}")
        backup.path.rename(doomed)
        shutil.rmtree(doomed)


def sweep(folder: Path) -> None:
    """Remove what killed commands left; what a running one holds stays."""
    for path in folder.iterdir():
        if path.name.startswith((_PARTIAL, _DISCARDED)):
            try:
                with hold(path):
                    shutil.rmtree(path)
            except (UnavailableError, FileNotFoundError):
                continue


@contextmanager
def hold(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Keep others from a folder until the process lets go or dies; raises UnavailableError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UnavailableError("Another command is using this backup. Try again later.") from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def plain_words(done: str) -> Iterator[None]:
    """Turn what the disk says into a sentence."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"The folder of the backups cannot be {done}: {error.strerror or 'input/output error'}."
        ) from error


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load(path: Path) -> Backup:
    try:
        manifest = _read_record(path / MANIFEST, Manifest)
        if _read_sums(path).get(MANIFEST) != sha256(path / MANIFEST):
            raise ValueError
    except (ValidationError, ValueError, FileNotFoundError, DamagedBackupError):
        return Backup(path, None, None, "The manifest of this backup is damaged or missing.")
    try:
        return Backup(path, manifest, _read_record(path / VERIFICATION, Verification))
    except (ValidationError, FileNotFoundError):
        return Backup(path, manifest, None)


def _read_record(path: Path, kind: type[T]) -> T:
    with path.open("rb") as file:
        return kind.model_validate_json(file.read(_LARGEST_RECORD))


def _read_sums(path: Path) -> dict[str, str]:
    """Return {file: digest}; the format is that of `sha256sum`, so that it checks them as well."""
    try:
        lines = (path / SUMS).read_text(encoding="ascii").splitlines()
        pairs = [line.split("  ") for line in lines]
        return {name: digest for digest, name in pairs}
    except (FileNotFoundError, ValueError):
        raise DamagedBackupError(
            "The list of checksums of this backup is damaged or missing."
        ) from None


def _seal(partial: Path) -> None:
    """Write the checksums and put everything on disk."""
    files = sorted(path for path in partial.iterdir() if path.is_file())
    lines = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    (partial / SUMS).write_text(lines, encoding="ascii")
    for path in [*files, partial / SUMS]:
        path.chmod(0o640 if path.name in (MANIFEST, SUMS) else 0o600)
        sync(path)
    partial.chmod(0o750)
    sync(partial)


def _publish(partial: Path, stem: str) -> Path:
    """Give the folder its name; a second one of the same moment gets a number."""
    for name in (stem, *(f"{stem}-{number}" for number in range(2, 100))):
        try:
            path = partial.rename(partial.with_name(name))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            sync(path.parent)
            return path
    raise UnavailableError("There are too many backups of this very moment. Try again.")


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
