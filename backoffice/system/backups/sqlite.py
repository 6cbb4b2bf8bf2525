"""Backups of SQLite, by its own backup API, which may run while others write."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy.engine import URL, make_url

from backoffice.errors import (
    DamagedBackupError,
    NotFoundError,
    RuleViolationError,
    UnavailableError,
)
from backoffice.system.backups.encrypting import decrypting, encrypting
from backoffice.system.backups.folder import Backup, hold, sha256, sync
from backoffice.system.backups.manifest import Contents, Dump, Encryption, TableFacts
from backoffice.system.backups.programs import run
from backoffice.system.backups.settings import BackupSettings

SUFFIX = ".sqlite"
PATIENCE_SECONDS = 30.0


def expected_bytes(url: URL) -> int:
    """Return how large a backup becomes: as large as the file and its journal together."""
    path = _path(url)
    wal = path.with_name(f"{path.name}-wal")
    return sum(one.stat().st_size for one in (path, wal) if one.exists())


def dump(url: URL, settings: BackupSettings, target: Path) -> Dump:
    """Write the copy and say what is in it; raises UnavailableError if there is no such file."""
    is_plain = settings.encryption is Encryption.NONE
    steps = encrypting(settings)
    plain = target if is_plain else target.with_name("plain")
    with _words_for(target):
        copy_database(_path(url), plain)
    contents = read_contents(plain)
    digest = sha256(plain)
    if not is_plain:
        run(*steps, reads=plain, writes=target)
        plain.unlink()
    return Dump(
        database="sqlite",
        database_name=_path(url).name,
        server_version=sqlite3.sqlite_version,
        tool_version=sqlite3.sqlite_version,
        contents=contents,
        content_sha256=digest,
    )


def check_dump(backup: Backup, settings: BackupSettings) -> None:
    """Read all of it as SQLite does; raises DamagedBackupError."""
    with rehearsal(backup, settings, make_url("sqlite://")):
        pass


@contextmanager
def rehearsal(backup: Backup, settings: BackupSettings, _url: URL) -> Iterator[URL]:
    """Restore into a file that is removed at the end; raises DamagedBackupError."""
    with _unpacked(backup, settings) as path:
        _require_sound(path)
        yield make_url("sqlite://").set(database=str(path))


def default_name(url: URL, moment: datetime) -> str:
    """Return the path of a new file beside the configured one."""
    path = _path(url)
    return str(path.with_name(f"{path.stem}-restored-{moment:%Y%m%d-%H%M%S}{path.suffix}"))


def restore_new(
    backup: Backup,
    settings: BackupSettings,
    _url: URL,
    name: str,
    *,
    with_grants: bool,  # noqa: ARG001  SQLite has no roles
) -> None:
    """Restore into a new file, which gets its name when it is whole."""
    target = Path(name)
    with _words_for(target):
        _require_absent(target)
        draft = target.with_name(f".{target.name}.restoring")
        with draft.open("ab"), hold(draft):
            try:
                _unpack(backup, settings, draft)
                draft.chmod(0o640)
                sync(draft)
                _require_absent(target)
                target.hardlink_to(draft)
                sync(target.parent)
            finally:
                draft.unlink()


def replace(
    backup: Backup,
    settings: BackupSettings,
    url: URL,
    moment: datetime,
    *,
    with_grants: bool,  # noqa: ARG001  SQLite has no roles
) -> str:
    """Write the backup into the configured file, as one transaction; return the copy of the former.

    The file itself stays: another one beside its journal would bring old rows back.
    """
    live = _path(url)
    if not live.is_file():
        raise NotFoundError(f"There is no database to replace. Use: --into {live}")
    former = live.with_name(f"{live.stem}-before-{moment:%Y%m%d-%H%M%S}{live.suffix}")
    draft = former.with_name(f".{former.name}.copying")

    def keep_former() -> None:
        copy_database(live, draft)
        shutil.copymode(live, draft)
        sync(draft)
        draft.rename(former)

    with _words_for(live), _unpacked(backup, settings) as restored:
        _require_absent(former)
        try:
            with _database(restored, "ro") as reading, _database(live, "rw") as writing:
                _transfer(reading, writing, pages=1, once_locked=keep_former)
        except BaseException:
            former.unlink(missing_ok=True)
            raise
        finally:
            draft.unlink(missing_ok=True)
    return str(former)


def copy_database(source: Path, target: Path) -> None:
    """Copy all that is committed, while others write; the copy needs no journal."""
    if not source.is_file():
        raise NotFoundError("There is no database file where DATABASE_URL says.")
    with _database(source, "ro") as reading, _database(target, "rwc") as writing:
        _transfer(reading, writing)
        writing.execute("PRAGMA journal_mode=DELETE")


def read_contents(path: Path) -> Contents:
    """Return what is in the file; raise DamagedBackupError when SQLite cannot read it."""
    with _reading(path) as connection:
        return _contents(connection)


def _require_sound(path: Path) -> None:
    """Raise DamagedBackupError unless SQLite finds all pages and references in order."""
    with _reading(path) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise DamagedBackupError("SQLite finds the file damaged: see PRAGMA integrity_check.")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise DamagedBackupError("There are rows that refer to rows which are not there.")


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with _database(path, "ro") as connection:
            yield connection
    except sqlite3.DatabaseError as error:
        raise DamagedBackupError("SQLite cannot read the file.") from error


def _contents(connection: sqlite3.Connection) -> Contents:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
    ).fetchall()
    tables = {}
    for (name,) in names:
        quoted = '"' + name.replace('"', '""') + '"'
        (rows,) = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()  # noqa: S608  a table's own name
        tables[name] = TableFacts(rows=rows)
    revisions: tuple[str, ...] = ()
    if "alembic_version" in tables:
        found = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1").fetchall()
        revisions = tuple(revision for (revision,) in found)
    return Contents(revisions=revisions, tables=tables)


@contextmanager
def _unpacked(backup: Backup, settings: BackupSettings) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="backoffice-") as folder:
        path = Path(folder) / "restored.sqlite"
        _unpack(backup, settings, path)
        yield path


def _unpack(backup: Backup, settings: BackupSettings, target: Path) -> None:
    """Write the database to `target`, which must not be in use, and compare it with the record."""
    manifest = backup.require_manifest()
    source = backup.path / manifest.file
    if manifest.encryption is Encryption.NONE:
        shutil.copyfile(source, target)
    else:
        run(*decrypting(settings, manifest.encryption), reads=source, writes=target)
    if sha256(target) != manifest.dump.content_sha256:
        raise DamagedBackupError("The restored file is not the one that was backed up.")
    manifest.dump.contents.require_same(read_contents(target))


def _transfer(
    reading: sqlite3.Connection,
    writing: sqlite3.Connection,
    *,
    pages: int = -1,
    once_locked: Callable[[], None] | None = None,
) -> None:
    """Copy all pages, by default in one step: in several, each write of others starts it over.

    `once_locked` is called after the first step, from which on nobody else can write to the target.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    waiting = [once_locked] if once_locked else []

    def stepped(status: int, _remaining: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE):
            while waiting:
                waiting.pop()()
        elif time.monotonic() > until:
            raise UnavailableError("The database is locked by another process. Try again later.")

    reading.backup(writing, pages=pages, progress=stepped)


@contextmanager
def _database(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _words_for(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say about a target into a sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UnavailableError(f"{path.name} cannot be written: {why}.") from error


def _require_absent(target: Path) -> None:
    """Raise RuleViolationError if the file, or the journal of a former one, is there."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        found = target.with_name(target.name + suffix)
        if found.exists():
            raise RuleViolationError(
                f"{found.name} is there already. Nothing was changed; choose another name."
            )


def _path(url: URL) -> Path:
    name = url.database or ":memory:"
    if ":memory:" in name or "mode=memory" in name or url.query.get("mode") == "memory":
        raise RuleViolationError("A database in memory cannot be backed up.")
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:").split("?")[0])
    return Path(name)
