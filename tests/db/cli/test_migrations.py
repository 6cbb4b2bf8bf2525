"""`flask db-status`, `db-check`, `db-plan`, `db-accept`: each state has its own exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask_migrate import downgrade, upgrade

from backoffice.app import create_app
from backoffice.db import db
from backoffice.system.migrations import load_scripts
from backoffice.system.schema.history import HISTORY
from backoffice.system.schema.locks import one_at_a_time
from backoffice.system.schema.report import Code
from config import TestingConfig

FIRST, *_, HEAD = [step.revision for step in reversed(list(load_scripts().walk_revisions()))]


@pytest.fixture
def shop(empty_app: Flask) -> Flask:
    upgrade()
    return empty_app


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def by_hand(statement: str, **values: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def tables() -> list[str]:
    return sa.inspect(db.engine).get_table_names()


def test_at_head_is_zero(shop: Flask) -> None:
    done = run(shop, "db-check")

    assert (done.exit_code, done.output) == (
        0,
        "at head: The database schema is the one of this code.\n",
    )


def test_a_waiting_migration_has_its_code_and_its_plan(shop: Flask) -> None:
    downgrade(revision="-1")

    check, plan, sql = run(shop, "db-check"), run(shop, "db-plan"), run(shop, "db-plan", "--sql")

    assert check.exit_code == 3
    assert "Run: flask db upgrade" in check.output
    assert plan.exit_code == 0
    assert plan.output.startswith(HEAD)
    assert "can be undone" in plan.output
    assert sql.output.startswith(f"-- {HEAD}")
    assert len(db_rows()) == len(list(load_scripts().walk_revisions())) + 1


def db_rows() -> list[Any]:
    with db.engine.connect() as connection:
        return list(connection.execute(sa.select(HISTORY.c.id)))


def test_an_empty_database_stays_empty(empty_app: Flask) -> None:
    db.engine.connect().close()  # SQLite makes the file on the first connection

    for command in ("db-check", "db-status", "db-plan"):
        run(empty_app, command)

    assert run(empty_app, "db-check").exit_code == Code.PENDING
    assert tables() == []


def test_a_database_that_is_ahead_has_its_code(shop: Flask) -> None:
    by_hand("UPDATE alembic_version SET version_num = 'f00d'")

    assert run(shop, "db-check").exit_code == 4
    assert run(shop, "db-plan").exit_code == 1
    assert "f00d" in run(shop, "db-status").output


def test_tables_without_a_revision_have_their_code(shop: Flask) -> None:
    by_hand("DELETE FROM alembic_version")

    assert run(shop, "db-check").exit_code == 6


def test_a_changed_file_has_its_code_until_it_is_accepted(shop: Flask) -> None:
    by_hand(
        "UPDATE schema_history SET checksum = :other WHERE revision = :id", other="0" * 64, id=HEAD
    )

    assert run(shop, "db-check").exit_code == 7
    assert run(shop, "db-accept", FIRST, "--reason", "no").exit_code == 1
    accepted = run(shop, "db-accept", HEAD, "--reason", "a comment was added")

    assert accepted.exit_code == 0, accepted.output
    assert run(shop, "db-check").exit_code == 0
    assert "a comment was added" in run(shop, "db-status").output


def test_drift_has_its_code_and_its_names(shop: Flask) -> None:
    by_hand("CREATE VIEW rogue AS SELECT id FROM tags")

    assert run(shop, "db-check").exit_code == 8
    assert "Extra: view rogue" in run(shop, "db-status").output


def test_a_running_migration_has_its_code(shop: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite does not tell who writes")
    with one_at_a_time(db.engine, 5, lambda _sentence: None):
        assert run(shop, "db-check").exit_code == 10


def test_a_constraint_that_does_not_count_is_named_with_its_remedy(shop: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("in SQLite every constraint counts")
    by_hand("ALTER TABLE orders DROP CONSTRAINT ck_orders_total_not_negative")
    by_hand(
        "ALTER TABLE orders ADD CONSTRAINT ck_orders_total_not_negative"
        " CHECK (total_amount >= 0 AND total_amount <> 'NaN') NOT VALID"
    )

    assert (
        "ALTER TABLE orders VALIDATE CONSTRAINT ck_orders_total_not_negative;"
        in run(shop, "db-status").output
    )
    assert run(shop, "db-check").exit_code == 9


def test_a_database_that_does_not_answer_has_its_code(tmp_path: Path) -> None:
    url = "postgresql+psycopg://someone:hunter2@127.0.0.1:9/backoffice"
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=url))

    done = run(app, "db-check")

    assert done.exit_code == 11
    assert "hunter2" not in done.output


def test_the_status_as_json_names_everything(shop: Flask) -> None:
    by_hand("CREATE INDEX rogue ON tags (created_at)")
    downgrade(revision="-1")

    found = json.loads(run(shop, "db-status", "--json").output)

    assert found["code"] == Code.PENDING
    assert [said["word"] for said in found["verdicts"]] == ["pending", "drift"]
    assert [step["revision"] for step in found["pending"]] == [HEAD]
    assert found["pending"][0]["is_reversible"] is True
    assert found["history"][0]["action"] == "downgrade"
    assert found["history"][0]["file"] == "as recorded"
    assert found["drift"][0]["name"] == "rogue"
    assert found["could_not_be_read"] == []


def test_the_lint_looks_at_what_came_after_a_revision(shop: Flask) -> None:
    assert run(shop, "db-lint", "--since", FIRST).exit_code == 0
    assert run(shop, "db-lint", "--since", "none").output == "Error: There is no revision none.\n"
