"""What was backed up is what comes back."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.engine import URL, make_url

from backoffice.system.backups.folder import list_backups
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.work import create_backup, verify_backup
from tests.db.backups.conftest import (
    Command,
    beside,
    contents_of,
    databases,
    drop,
    execute,
    let_go,
)

ADD_TAG = "INSERT INTO tags (name, version, created_at, updated_at) VALUES (:name, 1, :at, :at)"
MOMENT = "2026-01-02 03:04:05"


def test_a_restored_database_is_what_was_backed_up(
    made: Path, backup: Command, url: URL, new_name: str
) -> None:
    before = contents_of(url)

    verified = backup("verify", made.name)
    restored = backup("restore", made.name, "--into", new_name)

    assert verified.exit_code == 0, verified.output
    assert restored.exit_code == 0, restored.output
    assert len(before) > 10
    assert before["orders"][0] >= 120
    assert contents_of(url) == before
    assert contents_of(beside(url, new_name)) == before


def test_a_restored_database_takes_new_rows(
    made: Path, backup: Command, url: URL, new_name: str
) -> None:
    backup("restore", made.name, "--into", new_name)
    restored = beside(url, new_name)
    known = execute(restored, "SELECT count(*) FROM tags")

    execute(restored, ADD_TAG, name="after the restore", at=MOMENT)

    assert execute(restored, "SELECT count(*) FROM tags") == known + 1


def test_the_manifest_says_what_is_in_it(made: Path, url: URL) -> None:
    manifest = json.loads((made / "manifest.json").read_text())

    tables = manifest["dump"]["contents"]["tables"]
    rows = {name: facts["rows"] for name, facts in tables.items()}
    head = (Path(__file__).parents[3] / "migrations" / "HEAD").read_text().strip()
    assert rows == {name: count for name, (count, _) in contents_of(url).items()}
    assert manifest["dump"]["contents"]["revisions"] == [head]
    assert manifest["dump"]["database"] == url.get_backend_name()
    assert manifest["bytes"] == (made / manifest["file"]).stat().st_size
    assert manifest["environment"] == "testing"


def test_the_checksums_are_those_of_the_usual_tool(made: Path) -> None:
    lines = (made / "SHA256SUMS").read_text().splitlines()

    assert [line.split("  ")[1] for line in lines] == sorted(
        path.name for path in made.iterdir() if path.name != "SHA256SUMS"
    )
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == digest


def test_only_the_owner_may_read_the_data(made: Path) -> None:
    dump = next(path for path in made.iterdir() if path.name.startswith("database."))

    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.stat().st_mode) == 0o750


def test_a_backup_is_of_one_moment_while_others_write(
    folder: Path, url: URL, settings: BackupSettings
) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        engine = sa.create_engine(url)
        while not stop.is_set():
            with engine.begin() as connection:
                name = f"busy {len(written)}"
                connection.execute(sa.text(ADD_TAG), {"name": name, "at": MOMENT})
            written.append(1)
        engine.dispose()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = create_backup(url, settings)
    finally:
        stop.set()
        writer.join()
    execute(url, "DELETE FROM tags WHERE name LIKE 'busy %'")

    assert written
    assert verify_backup(url, settings, made.name, quick=False).problem == ""


def test_a_proof_is_kept_beside_the_backup_and_leaves_nothing_else(
    made: Path, backup: Command, folder: Path, url: URL
) -> None:
    before = databases(url)

    backup("verify")

    (listed,) = json.loads(backup("list", "--json").output)
    assert listed["verified_at"]
    assert listed["restore_seconds"] > 0
    assert listed["problem"] == ""
    assert databases(url) == before
    assert [path.name for path in folder.iterdir()] == [made.name]


def test_a_quick_look_is_no_proof(made: Path, backup: Command) -> None:
    result = backup("verify", "--quick")

    (listed,) = json.loads(backup("list", "--json").output)
    assert result.exit_code == 0
    assert "was not tried" in result.output
    assert listed["verified_at"] is None


def test_an_older_schema_is_brought_to_this_code(
    empty_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(empty_app.config, "BACKUP_FOLDER", str(tmp_path))
    upgrade()
    downgrade(revision="-1")
    let_go()
    runner = empty_app.test_cli_runner()
    runner.invoke(args=["backup", "create"])

    result = runner.invoke(args=["backup", "verify"])

    assert result.exit_code == 0, result.output
    assert "the migrations of this code went through" in result.output
    assert "schema of another version" in runner.invoke(args=["backup", "list"]).output


def test_migrations_that_fail_on_a_backup_are_told(
    empty_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(empty_app.config, "BACKUP_FOLDER", str(tmp_path))
    upgrade()
    url = make_url(empty_app.config["SQLALCHEMY_DATABASE_URI"])
    execute(url, "UPDATE alembic_version SET version_num = '31e7'")  # whose tables are there
    let_go()
    runner = empty_app.test_cli_runner()
    runner.invoke(args=["backup", "create"])

    result = runner.invoke(args=["backup", "verify"])

    assert result.exit_code == 1
    assert result.output == (
        "Error: The backup can be restored, but the migrations of this code fail on it. "
        "Use it with the version that made it.\n"
    )


def test_by_itself_a_restore_takes_a_new_name(made: Path, backup: Command, url: URL) -> None:
    before = databases(url)

    result = backup("restore", "latest")

    added = databases(url) - before
    if url.get_backend_name() == "postgresql":
        drop(url, *added)
    assert result.exit_code == 0, result.output
    assert len(added) == 1
    assert "restored" in added.pop()


def test_the_list_is_newest_first_and_knows_the_label(backup: Command, folder: Path) -> None:
    backup("create")
    backup("create", "--label", "before-deploy")

    listed = json.loads(backup("list", "--json").output)

    assert len(listed) == 2
    assert [one["name"] for one in listed] == [one.name for one in list_backups(folder)]
    assert any(one["name"].endswith("Z-before-deploy") for one in listed)
    assert all(one["is_at_head"] for one in listed)
