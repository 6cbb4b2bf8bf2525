"""Whatever is done to the schema is written down: by whom, when, how long, and what failed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import check, current, downgrade, stamp, upgrade

from backoffice import __version__
from backoffice.db import db
from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts
from backoffice.system.schema.history import HISTORY, checksum
from backoffice.system.schema.locks import is_migrating, one_at_a_time
from backoffice.system.shell import shell_user

ROOT = MIGRATIONS_DIR.parent
FIRST, *_, HEAD = [step.revision for step in reversed(list(load_scripts().walk_revisions()))]
BROKEN = """
from alembic import op

revision = "bad1"
down_revision = "{head}"


def upgrade():
    op.execute("CREATE TABLE half_done (id INTEGER)")
    op.execute("INSERT INTO tags (id, name) VALUES (7, 'secret@example.com')")


def downgrade(): ...
"""
BIG = """
from alembic import op

revision = "{id}"
down_revision = "{after}"


def upgrade():
    op.execute("ALTER TABLE tags ADD COLUMN {id} INTEGER")


def downgrade(): ...
"""


def history() -> list[dict[str, Any]]:
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(HISTORY).order_by(HISTORY.c.id)).mappings()
        return [dict(row) for row in rows]


def steps() -> list[tuple[str, str]]:
    return [(row["action"].value, row["revision"]) for row in history()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add(folder: Path, text: str, **names: str) -> None:
    path = folder / "versions" / f"20990101_{names.get('id', 'bad1')}.py"
    path.write_text(text.format(**names), "utf-8")


def test_every_step_is_recorded_with_who_when_and_what(empty_app: Flask) -> None:
    upgrade()

    rows = history()
    scripts = load_scripts()
    assert steps() == [
        ("upgrade", step.revision) for step in reversed(list(scripts.walk_revisions()))
    ]
    for row in rows:
        assert row["checksum"] == checksum(scripts.get_revision(row["revision"]).path)
        assert row["message"] == scripts.get_revision(row["revision"]).doc
        assert row["os_user"] == shell_user()
        assert row["app_version"] == __version__
        assert row["host"]
        assert row["error"] is None
        assert row["started_at"] <= row["finished_at"]
        assert row["duration_ms"] >= 0
    assert rows[1]["down_revision"] == FIRST
    has_users = db.engine.dialect.name == "postgresql"
    assert all(bool(row["database_user"]) is has_users for row in rows)


def test_a_downgrade_and_a_stamp_are_recorded_and_outlive_the_last_table(empty_app: Flask) -> None:
    upgrade()
    before = len(steps())

    downgrade(revision="base")
    stamp(revision="head")

    assert steps()[before] == ("downgrade", HEAD)
    assert steps()[-2:] == [("downgrade", FIRST), ("stamp", HEAD)]


def test_a_failed_step_leaves_its_reason_and_no_value_of_a_row(
    empty_app: Flask, folder: Path
) -> None:
    upgrade()
    with db.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO tags (id, name, version, created_at, updated_at)"
                " VALUES (7, 'new', 1, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00')"
            )
        )
    add(folder, BROKEN, head=HEAD)
    before = len(steps())

    with pytest.raises(sa.exc.DBAPIError):
        upgrade(directory=str(folder))

    assert len(steps()) == before + 1
    last = history()[-1]
    assert (last["action"].value, last["revision"]) == ("upgrade", "bad1")
    assert "Error" in last["error"] or "Violation" in last["error"]
    assert "secret@example.com" not in last["error"]
    assert not sa.inspect(db.engine).has_table("half_done")


def test_what_a_database_had_before_recording_is_noted_without_a_date(
    empty_app: Flask, folder: Path
) -> None:
    upgrade()
    with db.engine.begin() as connection:
        HISTORY.drop(connection)
    add(folder, BIG, id="aaaa", after=HEAD)

    upgrade(directory=str(folder))

    assert steps()[0] == ("baseline", FIRST)
    assert steps()[-2:] == [("baseline", HEAD), ("upgrade", "aaaa")]
    assert {row["finished_at"] for row in history()[:-1]} == {None}


def test_asking_is_not_recorded(empty_app: Flask) -> None:
    current()
    check_quietly()

    assert not sa.inspect(db.engine).has_table("schema_history")


def check_quietly() -> None:
    with pytest.raises(SystemExit):  # an empty database lacks every table
        check()


def test_printing_the_sql_records_nothing(
    empty_app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("batch mode needs the tables to print what it would do")
    upgrade(sql=True)

    assert "CREATE TABLE orders" in capsys.readouterr().out
    assert sa.inspect(db.engine).get_table_names() == []


def test_line_ends_do_not_change_a_checksum(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_bytes(b"a = 1\nb = 2\n")
    (tmp_path / "two.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    (tmp_path / "other.py").write_bytes(b"a = 1\nb = 3\n")

    assert checksum(tmp_path / "one.py") == checksum(tmp_path / "two.py")
    assert checksum(tmp_path / "one.py") != checksum(tmp_path / "other.py")


def test_a_held_lock_is_given_up_and_tried_again_while_the_table_is_read(
    empty_app: Flask, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the upgrade pauses between its attempts, nobody queues behind it."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite readers never wait for the writer")
    upgrade()
    add(folder, BIG, id="aaaa", after=HEAD)
    with db.engine.connect() as busy:
        busy.execute(sa.text("SELECT count(*) FROM tags"))  # and stays in its transaction
        upgrading = threading.Thread(target=upgrade_apart, args=(empty_app, folder))
        upgrading.start()
        reads = read_until_done(upgrading)
        busy.rollback()

    said = capsys.readouterr().err
    assert "trying again (2 of 3)" in said
    assert "trying again (3 of 3)" in said
    assert reads > 0
    assert history()[-1]["error"].startswith("CommandError: A table was in use")
    assert "aaaa" not in [column["name"] for column in sa.inspect(db.engine).get_columns("tags")]


def upgrade_apart(app: Flask, folder: Path) -> None:
    with app.app_context(), pytest.raises(SystemExit):
        upgrade(directory=str(folder), x_arg=["lock_timeout=0.3", "attempts=3"])


def read_until_done(upgrading: threading.Thread) -> int:
    """Read the table as the site would, each within two seconds; return how often it could."""
    reads = 0
    while upgrading.is_alive():
        with db.engine.connect() as reader:
            reader.execute(sa.text("SET statement_timeout = '2s'"))
            reader.execute(sa.text("SELECT count(*) FROM tags"))
            reads += 1
    return reads


def test_a_lock_that_is_let_go_is_not_the_end(empty_app: Flask, folder: Path) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite waits for its one lock instead")
    upgrade()
    add(folder, BIG, id="aaaa", after=HEAD)
    add(folder, BIG, id="bbbb", after="aaaa")
    with db.engine.connect() as busy:
        busy.execute(sa.text("SELECT count(*) FROM tags"))
        release = threading.Timer(1.0, busy.rollback)
        release.start()
        upgrade(directory=str(folder), x_arg=["lock_timeout=0.2", "attempts=20"])
        release.join()

    assert steps()[-2:] == [("upgrade", "aaaa"), ("upgrade", "bbbb")]


def test_a_second_migrator_says_that_it_waits_and_gives_up(
    empty_app: Flask, empty_url: str
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite's own lock is held by no key")
    with lock_held():
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi:app", "db", "upgrade", "-x", "wait=1"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
            env={"PATH": "/usr/bin:/bin", "APP_ENV": "testing", "DATABASE_URL": empty_url},
        )  # fmt: skip

    assert done.returncode == 1
    assert "waiting up to 1 s" in done.stderr
    assert "Another migration is running. Nothing was changed." in done.stderr
    assert sa.inspect(db.engine).get_table_names() == []


def lock_held() -> Any:
    return one_at_a_time(db.engine, 5, lambda _sentence: None)


def test_the_lock_is_seen_while_it_is_held(empty_app: Flask) -> None:
    def asked() -> bool | None:
        with db.engine.connect() as connection:
            return is_migrating(connection)

    if db.engine.dialect.name == "sqlite":
        assert asked() is None
        return
    assert asked() is False
    with lock_held():
        assert asked() is True
    assert asked() is False


def test_a_limit_that_is_no_number_is_refused(
    empty_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        upgrade(x_arg=["lock_timeout=soon"])

    assert "-x takes seconds" in caplog.text
    assert sa.inspect(db.engine).get_table_names() == []
