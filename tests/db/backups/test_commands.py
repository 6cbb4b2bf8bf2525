"""What cannot be done ends in one sentence and exit code 1, and leaves nothing half-done."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.engine import URL

from backoffice.system.backups import sqlite
from backoffice.system.backups.folder import hold
from tests.db.backups.conftest import Command, contents_of, databases, drop, execute

TAG = "INSERT INTO tags (name, version, created_at, updated_at) VALUES ('late', 1, :at, :at)"
FEW = ("--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0", "--min", "1")
AT = "2026-01-02 03:04:05"


def sentence(result: Result) -> str:
    """Return the only line of a refused command, without `Error: `."""
    assert result.exit_code in (1, 2), result.output
    *_, last = lines = result.output.splitlines()
    assert last.startswith("Error: ")
    assert lines[:-1] == [] or lines[0].startswith("Usage: ")
    return str(last.removeprefix("Error: "))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("restore", "nonsense"), "There is no backup of that name. See: flask backup list"),
        (("restore", "../../etc"), "There is no backup of that name. See: flask backup list"),
        (("restore", ""), "There is no backup of that name. See: flask backup list"),
        (("verify", "20200101T000000Z"), "There is no backup of that name. See: flask backup list"),
        (("restore",), "Missing argument 'NAME'."),
        (("restore", "latest", "--into", "x", "--replace"), "--replace and --into exclude"),
        (("create", "--label", "Très bien"), "Invalid value for '--label': use at most 40 small"),
        (("create", "--label", "../up"), "Invalid value for '--label': use at most 40 small"),
        (("create", "elsewhere"), "Got unexpected extra argument (elsewhere)"),
        (("prune", "--min", "0"), "Invalid value for '--min': 0 is not in the range"),
        (("prune", "--keep-daily", "all"), "Invalid value for '--keep-daily': 'all' is not"),
        (("remove",), "No such command 'remove'."),
    ],
)
def test_wrong_arguments(
    made: Path, backup: Command, url: URL, arguments: tuple[str, ...], expected: str
) -> None:
    before = databases(url)

    assert sentence(backup(*arguments)).startswith(expected)

    assert databases(url) == before
    assert list(made.parent.iterdir()) == [made]


def test_without_any_backup_the_sentence_says_how_to_make_one(
    folder: Path, backup: Command
) -> None:
    assert sentence(backup("verify")) == ("There is no backup yet. Make one: flask backup create")
    assert backup("list").output == "There is no backup yet. Make one: flask backup create\n"
    assert backup("list", "--json").output == "[]\n"


@pytest.mark.parametrize("command", [("create",), ("list",), ("verify",), ("prune",)])
def test_the_folder_must_be_set_and_there(
    shop: Flask,
    folder: Path,
    backup: Command,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setitem(shop.config, "BACKUP_FOLDER", "")
    assert sentence(backup(*command)).startswith("BACKUP_FOLDER is not set.")

    monkeypatch.setitem(shop.config, "BACKUP_FOLDER", str(folder / "missing"))
    assert sentence(backup(*command)).startswith("The folder of BACKUP_FOLDER does not exist.")
    assert list(folder.iterdir()) == []


def test_a_folder_that_takes_no_files_is_a_sentence(
    shop: Flask, backup: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shop.config, "BACKUP_FOLDER", "/proc")

    assert "the backups" in sentence(backup("create"))


def test_a_disk_that_becomes_full_leaves_nothing(
    shell: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    process = shell("create", PYTHONPATH=str(Path(__file__).parent / "full_disk"))
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 1, output
    assert output.startswith("Error: ")
    assert len(output.splitlines()) == 1
    assert "Traceback" not in output
    assert list(folder.iterdir()) == []


def test_too_little_room_is_noticed_before(
    made: Path, backup: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = json.loads((made / "manifest.json").read_text())["bytes"]
    usage = (10**9, 10**9 - size, size)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("U", (), {"free": usage[2]}))

    assert "Make room: flask backup prune" in sentence(backup("create"))
    assert list(folder.iterdir()) == [made]


def test_a_target_that_exists_is_left_alone(
    made: Path, backup: Command, url: URL, new_name: str
) -> None:
    assert backup("restore", "latest", "--into", new_name).exit_code == 0
    restored = url.set(database=new_name)
    execute(restored, TAG, at=AT)
    before = contents_of(restored)

    result = backup("restore", "latest", "--into", new_name)

    assert "Nothing was changed; choose another name." in sentence(result)
    assert contents_of(restored) == before


def test_the_journal_of_a_former_file_is_not_adopted(
    made: Path, backup: Command, url: URL, new_name: str
) -> None:
    if url.get_backend_name() == "postgresql":
        pytest.skip("PostgreSQL has no such files")
    Path(f"{new_name}-wal").write_bytes(b"old rows")

    assert "restored.sqlite-wal is there already." in sentence(
        backup("restore", "latest", "--into", new_name)
    )
    assert not Path(new_name).exists()


def test_rights_of_a_role_that_is_not_there_can_be_left_out(
    backup: Command, folder: Path, url: URL, new_name: str
) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite has no roles")
    role = f"{url.database}_reader"
    execute(url, f"CREATE ROLE {role}")
    execute(url, f"GRANT SELECT ON orders TO {role}")
    backup("create")
    execute(url, f"REVOKE SELECT ON orders FROM {role}")
    execute(url, f"DROP ROLE {role}")

    assert backup("verify").exit_code == 0
    assert sentence(backup("restore", "latest", "--into", new_name)) == (
        f"The backup gives rights to the role {role}, which this server does not have. "
        "Make it, or leave such rights out: --no-grants"
    )
    assert new_name not in databases(url)
    assert backup("restore", "latest", "--into", new_name, "--no-grants").exit_code == 0


@pytest.mark.parametrize("name", ["postgresql://u:hunter2@host/shop", "a" * 64, "shop;drop"])
def test_a_name_that_is_none_is_refused(made: Path, backup: Command, url: URL, name: str) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite takes any path")

    assert sentence(backup("restore", "latest", "--into", name)).startswith("A database name has")


def test_a_database_that_does_not_answer_is_a_sentence_without_its_password(
    shop: Flask, folder: Path, url: URL, shell: Callable[..., subprocess.Popen[str]]
) -> None:
    down = {
        "sqlite": f"sqlite:///{folder}/missing.sqlite",
        "postgresql": "postgresql://someone:hunter2@127.0.0.1:9/shop",
    }[url.get_backend_name()]

    process = shell("create", DATABASE_URL=down)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert output.startswith(
        ("Error: The database does not answer.", "Error: There is no database")
    )
    assert "hunter2" not in output
    assert list(folder.iterdir()) == []


def test_production_is_replaced_only_by_name(
    made: Path, shop: Flask, backup: Command, url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shop.config, "APP_ENV", "production")
    before, known = contents_of(url), databases(url)

    for arguments in ((), ("--confirm", "another")):
        told = sentence(backup("restore", "latest", "--replace", *arguments))
        assert told == (
            "APP_ENV is production. To replace its database, name it: --confirm "
            f"{Path(str(url.database)).name}"
        )

    assert contents_of(url) == before
    assert databases(url) == known


def test_replacing_brings_the_former_rows_back_and_keeps_the_later_ones(
    made: Path, shop: Flask, backup: Command, url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shop.config, "APP_ENV", "production")
    before = contents_of(url)
    execute(url, TAG, at=AT)
    after = contents_of(url)

    result = backup("restore", "latest", "--replace", "--confirm", Path(str(url.database)).name)

    assert result.exit_code == 0, result.output
    former = result.output.split("The former is ")[1].splitlines()[0].removesuffix(".")
    assert contents_of(url) == before
    assert contents_of(url.set(database=former)) == after
    if url.get_backend_name() == "postgresql":
        drop(url, former)
    else:
        Path(former).unlink()


def test_a_backup_of_a_later_schema_does_not_replace(made: Path, backup: Command, url: URL) -> None:
    known = databases(url)
    head = execute(url, "SELECT version_num FROM alembic_version")
    execute(url, "UPDATE alembic_version SET version_num = 'f00d'")
    assert backup("create", "--label", "later").exit_code == 0
    execute(url, "UPDATE alembic_version SET version_num = :head", head=head)

    told = sentence(backup("restore", "latest", "--replace"))

    assert told.startswith("The backup is of a later schema than this code has.")
    assert databases(url) == known


@contextmanager
def in_use(url: URL) -> Iterator[None]:
    """Let another session write, and not come to an end."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "SELECT 1"
        )
        yield
        connection.rollback()
    engine.dispose()


def test_a_database_in_use_is_not_replaced(
    made: Path, backup: Command, url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0.2)
    before, known = contents_of(url), databases(url)

    with in_use(url):
        told = sentence(backup("restore", "latest", "--replace"))

    assert "is in use (sessions: 1)" in told or "is locked by another process" in told
    assert contents_of(url) == before
    assert databases(url) == known


def test_a_backup_in_use_is_not_pruned(made: Path, backup: Command) -> None:
    backup("create")

    with hold(made, shared=True):
        told = sentence(backup("prune", *FEW, "--yes"))

    assert "is using this backup" in told
    assert made.is_dir()


def test_pruning_only_names_them_until_told(made: Path, backup: Command, folder: Path) -> None:
    backup("create")
    assert len(list(folder.iterdir())) == 2

    dry = backup("prune", *FEW)
    assert f"{made.name}  would be removed" in dry.output
    assert len(list(folder.iterdir())) == 2

    done = backup("prune", *FEW, "--yes")
    assert f"{made.name}  removed" in done.output
    assert not made.exists()
    assert len(list(folder.iterdir())) == 1
