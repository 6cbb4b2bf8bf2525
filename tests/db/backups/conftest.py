"""A seeded shop of its own, a folder for its backups, and an independent look at what is in it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.engine import URL, make_url

from backoffice.access import command_actor
from backoffice.app import create_app
from backoffice.db import db
from backoffice.seeding.plan import load_plan
from backoffice.seeding.shop import seed_shop
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.work import create_backup
from config import TestingConfig
from tests.postgres import sibling_database

Command = Callable[..., Result]
Contents = dict[str, tuple[int, str]]


@pytest.fixture(scope="session")
def shop(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a seeded database that no other test uses; its sessions are closed."""
    with _another(database_url, tmp_path_factory) as url:
        app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=url))
        plan = load_plan("demo", zone="Europe/London", currency="GBP")
        small = dataclasses.replace(plan, products=40, customers=30, orders=120)
        with app.app_context():
            upgrade()
            seed_shop(command_actor("tester"), small, environment="testing", add_to_existing=False)
            let_go()
        yield app


@contextmanager
def _another(database_url: str, factory: pytest.TempPathFactory) -> Iterator[str]:
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{factory.mktemp('shop') / 'shop.sqlite'}"
    else:
        with sibling_database(database_url) as url:
            yield url


def let_go() -> None:
    """Close every session of the current app."""
    db.session.remove()
    for engine in db.engines.values():
        engine.dispose()


@pytest.fixture
def folder(shop: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for backups, configured."""
    path = tmp_path / "backups"
    path.mkdir()
    monkeypatch.setitem(shop.config, "BACKUP_FOLDER", str(path))
    return path


@pytest.fixture
def settings(shop: Flask, folder: Path) -> BackupSettings:
    return BackupSettings.from_config(shop.config)


@pytest.fixture
def url(shop: Flask) -> URL:
    return make_url(shop.config["SQLALCHEMY_DATABASE_URI"])


@pytest.fixture
def backup(shop: Flask) -> Command:
    """`flask backup …` in this process."""

    def invoke(*arguments: str) -> Result:
        return shop.test_cli_runner().invoke(args=["backup", *arguments])

    return invoke


@pytest.fixture(scope="session")
def original(shop: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the shop, made once: tests leave the shop as they found it."""
    folder = tmp_path_factory.mktemp("original")
    settings = BackupSettings.from_config({**shop.config, "BACKUP_FOLDER": str(folder)})
    return create_backup(make_url(shop.config["SQLALCHEMY_DATABASE_URI"]), settings).path


@pytest.fixture
def made(folder: Path, original: Path) -> Path:
    """A copy of that backup, which the test may spoil."""
    return Path(shutil.copytree(original, folder / original.name))


@pytest.fixture
def new_name(url: URL, tmp_path: Path) -> Iterator[str]:
    """The name of a database that does not exist yet; if it does at the end, it is dropped."""
    if url.get_backend_name() == "sqlite":
        yield str(tmp_path / "restored.sqlite")
        return
    name = f"{url.database}_restored"
    yield name
    drop(url, name)


@pytest.fixture
def shell(url: URL, folder: Path) -> Callable[..., subprocess.Popen[str]]:
    """`flask backup …` in a process of its own, which may be killed."""

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "backup", *arguments],
            cwd=Path(__file__).parents[3],
            env={
                **os.environ,
                "APP_ENV": "testing",
                "FLASK_APP": "wsgi:app",
                "DATABASE_URL": url.render_as_string(hide_password=False),
                "BACKUP_FOLDER": str(folder),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start


def beside(url: URL, name: str) -> URL:
    """Return the URL of a restored database."""
    return url.set(database=name)


def drop(url: URL, *names: str) -> None:
    """Drop databases of the server, where there are such."""
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            quoted = engine.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
    engine.dispose()


def databases(url: URL) -> set[str]:
    """Return the names of the databases that are the shop's or were restored from it."""
    if url.get_backend_name() == "sqlite":
        files = Path(url.database or "").parent.iterdir()
        return {path.name for path in files if not path.name.endswith(("-wal", "-shm"))}
    engine = sa.create_engine(url.set(database="postgres"))
    with engine.connect() as connection:
        names = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
    engine.dispose()
    return {name for name in names if name.startswith(str(url.database))}


def contents_of(url: URL) -> Contents:
    """Return the number and a digest of the rows of every table, whatever their order."""
    engine = sa.create_engine(url)
    found: dict[str, tuple[int, str]] = {}
    with engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            quoted = engine.dialect.identifier_preparer.quote(table)
            rows = connection.exec_driver_sql(f"SELECT * FROM {quoted}").fetchall()
            lines = "\n".join(sorted(repr(tuple(row)) for row in rows))
            found[table] = (len(rows), hashlib.sha256(lines.encode()).hexdigest())
    engine.dispose()
    return found


def execute(url: URL, statement: str, **values: Any) -> Any:
    """Run one statement for good; return its first value, if it has one."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value
