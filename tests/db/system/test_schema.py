"""Migrations are the schema's only writer, and what they write is what the models say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.engine import Connection

from backoffice.db import Base, db
from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts
from backoffice.system.schema.history import MIGRATOR_TABLES, is_ours
from backoffice.system.schema.locks import LOCK_KEY
from tests.factories import make_product, make_tag, make_user

ROOT = MIGRATIONS_DIR.parent
BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "bad1"
down_revision = "{head}"


def upgrade():
    op.add_column("tags", sa.Column("half_done", sa.Integer()))
    op.execute("UPDATE no_such_table SET x = 1")


def downgrade():
    op.drop_column("tags", "half_done")
"""


def options(of_index: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(of_index.items()))


def triggers(connection: Connection, table: str) -> list[str]:
    """Return the text of a table's triggers, which the inspector does not see."""
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT pg_get_triggerdef(t.oid) || pg_get_functiondef(t.tgfoid) FROM pg_trigger t "
            "WHERE t.tgrelid = CAST(:table AS regclass) AND NOT t.tgisinternal"
        )
    else:
        query = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    found = connection.scalars(sa.text(query), {"table": table})
    return sorted(" ".join(text.split()) for text in found)


def describe(connection: Connection) -> dict[str, Any]:
    """Return every name and shape that the inspector can see, in a form that compares."""
    inspector = sa.inspect(connection)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], str(column["default"]))
                for column in inspector.get_columns(table)
            ],
            "triggers": triggers(connection, table),
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "checks": sorted(
                (str(check["name"]), check["sqltext"])
                for check in inspector.get_check_constraints(table)
            ),
            "indexes": sorted(
                (str(index["name"]), str(index["column_names"]), bool(index["unique"]),
                 options(index.get("dialect_options", {})))
                for index in inspector.get_indexes(table)
                if is_ours(index["name"], "index")
            ),
            "unique": sorted(
                (str(unique["name"]), str(unique["column_names"]))
                for unique in inspector.get_unique_constraints(table)
            ),
            "foreign_keys": sorted(
                (str(key["name"]), str(key["constrained_columns"]), key["referred_table"],
                 str(key["options"]))
                for key in inspector.get_foreign_keys(table)
            ),
        }
        for table in sorted(inspector.get_table_names())
        if table not in MIGRATOR_TABLES
    }  # fmt: skip


def schema() -> dict[str, Any]:
    with db.engine.connect() as connection:
        return describe(connection)


def test_there_is_one_head_and_the_file_names_it() -> None:
    heads = load_scripts().get_heads()

    assert heads == [(MIGRATIONS_DIR / "HEAD").read_text(encoding="utf-8").strip()]


def test_every_revision_says_how_to_go_back() -> None:
    for script in load_scripts().walk_revisions():
        assert script.module.downgrade.__code__.co_code != (lambda: None).__code__.co_code, script


def test_autogenerate_finds_nothing_to_do(migrated_app: Flask) -> None:
    with migrated_app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "target_metadata": Base.metadata,
                "include_name": is_ours,
            },
        )
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_migrations_make_exactly_what_the_models_say(empty_app: Flask) -> None:
    Base.metadata.create_all(db.engine)
    expected = schema()
    Base.metadata.drop_all(db.engine)

    upgrade()

    assert schema() == expected


def test_up_down_up_leaves_the_same_schema(empty_app: Flask) -> None:
    upgrade()
    first = schema()

    downgrade(revision="base")
    assert schema() == {}

    upgrade()
    assert schema() == first


def test_every_single_step_can_be_undone_and_redone(empty_app: Flask) -> None:
    for script in reversed(list(load_scripts().walk_revisions())):
        before = schema()
        upgrade(revision=script.revision)
        after = schema()
        downgrade(revision="-1")
        assert schema() == before
        upgrade(revision=script.revision)
        assert schema() == after


def test_downgrading_and_upgrading_works_with_rows_in_the_tables(empty_app: Flask) -> None:
    upgrade()
    make_product(db.session(), tags=[make_tag(db.session(), "new")])
    make_user(db.session())
    db.session.remove()

    downgrade(revision="base")
    upgrade()

    assert "products" in schema()


def test_a_failed_migration_leaves_nothing_behind(empty_app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, folder, ignore=shutil.ignore_patterns("__pycache__"))
    upgrade()
    before = schema()
    head = load_scripts().get_heads()[0]
    broken = BROKEN.format(head=head)
    (folder / "versions" / "20990101_bad1_break.py").write_text(broken, encoding="utf-8")

    with pytest.raises(sa.exc.DBAPIError):
        upgrade(directory=str(folder))

    assert schema() == before
    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == head


def test_three_migrations_at_once_do_the_work_once(empty_app: Flask, empty_url: str) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi:app", "db", "upgrade"]
    environment = {"PATH": os.environ["PATH"], "APP_ENV": "testing", "DATABASE_URL": empty_url}
    all_three = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [process.communicate(timeout=90) for process in all_three]

    assert [process.returncode for process in all_three] == [0, 0, 0], said
    applied = [
        line for output, _ in said for line in output.splitlines() if line.startswith("applied")
    ]
    assert len(applied) == len(list(load_scripts().walk_revisions()))


def test_a_migration_waits_for_the_one_before_it(empty_app: Flask) -> None:
    with db.engine.connect() as first:
        if first.dialect.name == "sqlite":
            first.execution_options(sqlite_begin="IMMEDIATE")
            first.execute(sa.text("SELECT 1"))
        else:
            first.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        with ThreadPoolExecutor() as pool:
            second = pool.submit(upgrade_in_context, empty_app)
            time.sleep(0.7)
            assert not second.done()
            first.rollback()
            second.result(timeout=20)

    assert "orders" in schema()


def upgrade_in_context(app: Flask) -> None:
    with app.app_context():
        upgrade()


def test_a_table_in_use_stops_the_migration_with_a_sentence(
    empty_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade()
    with db.engine.connect() as busy:
        if busy.dialect.name == "sqlite":
            busy.execution_options(sqlite_begin="IMMEDIATE")
        busy.execute(sa.text("SELECT count(*) FROM order_items"))
        with pytest.raises(SystemExit):
            downgrade(revision="base", x_arg=["lock_timeout=0.2", "attempts=2"])

    assert "in use" in caplog.text
    assert "orders" in schema()


@pytest.mark.parametrize("arguments", [["upgrade"], ["current"], ["check"]])
def test_an_unreachable_database_is_one_sentence(arguments: list[str]) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "development",
        "DATABASE_URL": "postgresql://someone:hunter2@127.0.0.1:9/backoffice",
        "FLASK_SKIP_DOTENV": "1",
        "FLASK_APP": "wsgi:app",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip

    assert done.returncode == 1
    assert "The database does not answer." in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
