"""Backups of PostgreSQL, by its own pg_dump and pg_restore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from backoffice.errors import (
    DamagedBackupError,
    NotFoundError,
    RuleViolationError,
    UnavailableError,
)
from backoffice.system.backups.encrypting import decrypting, encrypting
from backoffice.system.backups.folder import Backup
from backoffice.system.backups.manifest import Contents, Dump, Encryption, TableFacts
from backoffice.system.backups.programs import ProgramError, Step, postgres_program, run
from backoffice.system.backups.sessions import (
    connect,
    conninfo,
    maintenance,
    password,
    scratch_database,
)
from backoffice.system.backups.settings import BackupSettings

SUFFIX = ".dump"
_LOCK_WAIT = "60s"
_JOBS = min(4, os.cpu_count() or 1)
_MISSING_ROLE = re.compile(r'role "([^"]+)" does not exist')
# What pg_dump takes along: no temporary table, none of an extension.
_TABLES = """
    SELECT n.nspname, c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid
                      AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
    ORDER BY 1, 2
"""
# The sum does not depend on the order of the rows; the alias must be nobody's column.
_FACTS = """
    SELECT count(*), coalesce(sum(hashtextextended(whole_row_::text, 0)::numeric), 0)::text
    FROM {} AS whole_row_
"""


def expected_bytes(_url: URL) -> int:
    """Return how large a backup may become at first: nothing is known of a dump before it."""
    return 0


def dump(url: URL, settings: BackupSettings, target: Path) -> Dump:
    """Write the dump and say what is in it; both come from one snapshot of the data."""
    with connect(url) as connection:
        version = connection.info.server_version // 10000
        pg_dump, tool = postgres_program(
            "pg_dump", at_least=version, because=f"The server is PostgreSQL {version}."
        )
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            snapshot = _value(connection, "SELECT pg_export_snapshot()")
            contents = read_contents(connection)
            arguments: list[str | Path] = [
                pg_dump,
                "--format=custom",
                "--no-owner",
                "--no-password",
                f"--snapshot={snapshot}",
                f"--lock-wait-timeout={_LOCK_WAIT}",
                f"--dbname={conninfo(url)}",
            ]
            if encryption := encrypting(settings):
                run(Step(arguments, password(url)), *encryption, writes=target)
            else:  # by its name: at the end pg_dump goes back and writes where each table begins
                run(Step([*arguments, f"--file={target}"], password(url)))
    return Dump(
        database="postgresql",
        database_name=url.database or "",
        server_version=str(version),
        tool_version=str(tool),
        contents=contents,
    )


def check_dump(backup: Backup, settings: BackupSettings) -> None:
    """Let pg_restore read all of it; raises DamagedBackupError."""
    try:
        _restore(backup, settings, ["--file=/dev/null"], {})
    except ProgramError as error:
        if error.program != "pg_restore":
            raise
        raise DamagedBackupError("pg_restore cannot read the dump to its end.") from error


@contextmanager
def rehearsal(backup: Backup, settings: BackupSettings, url: URL) -> Iterator[URL]:
    """Restore into a database that is dropped at the end; raises DamagedBackupError."""
    with maintenance(url) as connection, scratch_database(connection) as scratch:
        _fill(backup, settings, url, scratch, with_grants=False)
        yield url.set(database=scratch)


def default_name(url: URL, moment: datetime) -> str:
    """Return the name of a new database beside the configured one."""
    return f"{(url.database or 'backoffice')[:40]}_restored_{moment:%Y%m%d_%H%M%S}"


def restore_new(
    backup: Backup, settings: BackupSettings, url: URL, name: str, *, with_grants: bool
) -> None:
    """Restore into a new database, which gets its name when it is whole."""
    require_name(name)
    with maintenance(url) as connection:
        _require_absent(connection, name)
        with scratch_database(connection) as scratch:
            _fill(backup, settings, url, scratch, with_grants=with_grants)
            _rename(connection, scratch, name)


def replace(
    backup: Backup, settings: BackupSettings, url: URL, moment: datetime, *, with_grants: bool
) -> str:
    """Put the backup in the place of the configured database; return the name of the former one.

    Both get their names in one transaction, so that there is always one of the wanted name.
    """
    name = url.database or ""
    former = f"{name[:40]}_before_{moment:%Y%m%d_%H%M%S}"
    with maintenance(url) as connection:
        _require_quiet(connection, name)
        with scratch_database(connection) as scratch:
            _fill(backup, settings, url, scratch, with_grants=with_grants)
            _require_quiet(connection, name)
            with connection.transaction():
                _rename(connection, name, former)
                _rename(connection, scratch, name)
    return former


def require_name(name: str) -> None:
    """Raise RuleViolationError for a name that PostgreSQL would cut or programs misread."""
    if not 1 <= len(name.encode()) <= 63 or not name.replace("_", "").replace("-", "").isalnum():
        raise RuleViolationError(
            "A database name has at most 63 letters, digits, hyphens and underscores. "
            "Another server is chosen by DATABASE_URL, not by --into."
        )


def read_contents(connection: psycopg.Connection[Any]) -> Contents:
    """Return what is in the database: each table's rows and a digest of them."""
    tables = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        query = sql.SQL(_FACTS).format(sql.Identifier(schema, table))
        rows, digest = connection.execute(query).fetchone() or (0, "0")
        name = table if schema == "public" else f"{schema}.{table}"
        tables[name] = TableFacts(rows=rows, digest=digest)
    revisions: tuple[str, ...] = ()
    if "alembic_version" in tables:
        found = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1").fetchall()
        revisions = tuple(revision for (revision,) in found)
    return Contents(revisions=revisions, tables=tables)


def _fill(
    backup: Backup, settings: BackupSettings, url: URL, database: str, *, with_grants: bool
) -> None:
    """Restore into an empty database, and compare it with what was backed up."""
    manifest = backup.require_manifest()
    arguments = ["--exit-on-error", "--no-owner", "--no-password",
                 f"--dbname={conninfo(url, database)}"]  # fmt: skip
    if not with_grants:
        arguments.append("--no-privileges")
    is_file = manifest.encryption is Encryption.NONE  # else a pipe, in which nobody can jump about
    arguments.append(f"--jobs={_JOBS}" if is_file else "--single-transaction")
    _restore(backup, settings, arguments, password(url))
    with connect(url, database) as connection:
        connection.execute("ANALYZE")
        manifest.dump.contents.require_same(read_contents(connection))


def _restore(
    backup: Backup, settings: BackupSettings, arguments: list[str], secrets: dict[str, str]
) -> None:
    manifest = backup.require_manifest()
    tool = int(manifest.dump.tool_version)
    pg_restore, _ = postgres_program(
        "pg_restore", at_least=tool, because=f"The backup was made by pg_dump {tool}."
    )
    file = backup.path / manifest.file
    try:
        if manifest.encryption is Encryption.NONE:
            run(Step([pg_restore, *arguments, file], secrets))
        else:
            before = decrypting(settings, manifest.encryption)
            run(*before, Step([pg_restore, *arguments], secrets), reads=file)
    except ProgramError as error:
        if role := _MISSING_ROLE.search(str(error)):
            raise UnavailableError(
                f"The backup gives rights to the role {role[1]}, which this server does not have. "
                "Make it, or leave such rights out: --no-grants"
            ) from error
        raise


def _require_absent(connection: psycopg.Connection[Any], name: str) -> None:
    if _value(connection, "SELECT count(*) FROM pg_database WHERE datname = %s", name):
        raise RuleViolationError(
            f"There is a database {name} already. Nothing was changed; choose another name."
        )


def _require_quiet(connection: psycopg.Connection[Any], name: str) -> None:
    if not _value(connection, "SELECT count(*) FROM pg_database WHERE datname = %s", name):
        raise NotFoundError(f"There is no database {name} to replace. Use: --into {name}")
    sessions = _value(
        connection,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = "
        "'client backend'",
        name,
    )
    if sessions:
        raise RuleViolationError(
            f"The database {name} is in use (sessions: {sessions}). Nothing was changed; "
            "stop the application first."
        )


def _rename(connection: psycopg.Connection[Any], name: str, other: str) -> None:
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(statement.format(sql.Identifier(name), sql.Identifier(other)))


def _value(connection: psycopg.Connection[Any], statement: Any, *values: str) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
