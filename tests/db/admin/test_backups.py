"""The page of the backups: what operators see, and that looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.db import db
from backoffice.models import User
from backoffice.system.backups.folder import VERIFICATION, Backup, make_backup, write_record
from backoffice.system.backups.manifest import (
    Contents,
    Dump,
    Encryption,
    Manifest,
    TableFacts,
    Verification,
)
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.inspection.report import inspect_installation
from backoffice.system.kept import Kept

SignIn = Callable[[Role], User]
PAGE = "/admin/backups/"
OPERATORS = (Role.OPERATOR, Role.ADMIN)


@pytest.fixture
def folder(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(app.config, "BACKUP_FOLDER", str(tmp_path))
    return tmp_path


def place(folder: Path, hours_ago: float, *, revision: str = "f00d", label: str = "") -> Backup:
    """A backup as a command would leave it; nothing on the page reads the dump itself."""
    at = datetime.now(UTC) - timedelta(hours=hours_ago)

    def fill(partial: Path) -> None:
        (partial / "database.dump.age").write_bytes(b"x" * 3 * 2**20)
        contents = Contents(revisions=(revision,), tables={"orders": TableFacts(rows=12_345)})
        manifest = Manifest(
            started_at=at,
            finished_at=at + timedelta(seconds=4.2),
            app_version="1",
            environment="production",
            file="database.dump.age",
            bytes=3 * 2**20,
            encryption=Encryption.AGE,
            dump=Dump(
                database="postgresql",
                database_name="shop",
                server_version="16",
                tool_version="16",
                contents=contents,
            ),
        )
        write_record(partial, "manifest.json", manifest)

    return make_backup(folder, at, label, fill)


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_only_operators_see_it(
    session: Session, client: FlaskClient, sign_in: SignIn, folder: Path, role: Role
) -> None:
    sign_in(role)

    assert client.get(PAGE).status_code == (200 if role in OPERATORS else 403)


def test_a_stranger_is_sent_to_sign_in(session: Session, client: FlaskClient) -> None:
    response = client.get(PAGE)

    assert response.status_code == 302
    assert response.location.startswith("/login")


def test_it_shows_the_last_the_last_verified_and_the_commands(
    session: Session, client: FlaskClient, sign_in: SignIn, folder: Path
) -> None:
    older, newer = place(folder, 30, label="older"), place(folder, 2, label="newer")
    proof = Verification(at=datetime.now(UTC), restore_seconds=73.4)
    write_record(older.path, VERIFICATION, proof)
    sign_in(Role.OPERATOR)

    page = client.get(PAGE).text

    assert page.index(newer.name) < page.index(older.name)
    assert "The newest backup is recent, and one was lately proved." in page
    assert "73.4 s" in page
    assert "12,345" in page
    assert "3.0 MB" in page
    assert "(other): the schema is not the one of this code" in page
    assert "by age" in page
    assert f"<code>flask backup restore {older.name}</code>" in page
    for command in ("flask backup create", "flask backup verify", "flask backup prune --yes"):
        assert f"<code>{command}</code>" in page


def test_a_damaged_one_is_told_first(
    session: Session, client: FlaskClient, sign_in: SignIn, folder: Path
) -> None:
    bad = place(folder, 3)
    (bad.path / "manifest.json").write_text("{}")
    place(folder, 2)
    sign_in(Role.OPERATOR)

    response = client.get(PAGE)

    assert response.status_code == 200
    assert "A backup is damaged." in response.text
    assert "The manifest of this backup is damaged or missing." in response.text


@pytest.mark.parametrize("missing", [True, False])
def test_without_backups_it_says_what_to_do(
    session: Session,
    app: Flask,
    client: FlaskClient,
    sign_in: SignIn,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: bool,
) -> None:
    monkeypatch.setitem(app.config, "APP_ENV", "production")
    if missing:
        monkeypatch.setitem(app.config, "BACKUP_FOLDER", str(folder / "not-mounted"))
    sign_in(Role.OPERATOR)

    page = client.get(PAGE).text

    assert ("does not exist. Make it, or mount its disk." in page) is missing
    assert "flask backup create" in page
    assert not (folder / "not-mounted").exists()


def test_looking_changes_nothing(
    session: Session, client: FlaskClient, sign_in: SignIn, folder: Path
) -> None:
    place(folder, 2)
    (folder / ".partial-of-a-killed-command").mkdir()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    sign_in(Role.OPERATOR)

    assert client.get(PAGE).status_code == 200
    assert client.post(PAGE).status_code in (400, 405)

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_only_the_newest_hundred_are_drawn(
    session: Session, client: FlaskClient, sign_in: SignIn, folder: Path
) -> None:
    for hours in range(103):
        place(folder, hours)
    sign_in(Role.OPERATOR)

    page = client.get(PAGE).text

    assert page.count('<th scope="row">') == 100
    assert "3 older ones are not shown" in page


def test_the_health_page_and_the_command_tell_the_age(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    folder: Path,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backups = BackupSettings.from_config(app.config)
    look = partial(inspect_installation, db.engine.engine, backups=backups)
    monkeypatch.setitem(app.extensions, "inspection", Kept(look, 5))
    backup = place(folder, 2)
    write_record(backup.path, VERIFICATION, Verification(at=datetime.now(UTC), restore_seconds=1.0))
    sign_in(Role.OPERATOR)

    page = client.get("/admin/health/").text
    status = app.test_cli_runner().invoke(args=["status"]).output

    assert "The newest backup is recent, and one was lately proved." in page
    assert "2.0 h" in page
    assert "The newest backup is recent, and one was lately proved." in status
