"""The migration page: every state has its words and its command, and looking changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade

from backoffice.access import Role
from backoffice.db import db
from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts
from backoffice.system.schema.locks import one_at_a_time
from backoffice.system.schema.report import read_report
from tests.factories import make_login, make_user

PAGE = "/admin/migrations/"
HEAD = load_scripts().get_heads()[0]
STEP = """
import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = "{after}"


def upgrade():
    op.add_column("tags", sa.Column("{id}", sa.Integer()))


def downgrade():
    op.drop_column("tags", "{id}")
"""


@pytest.fixture
def operator(empty_app: Flask) -> Iterator[FlaskClient]:
    """An operator in front of a database that the test may spoil."""
    upgrade()
    user = make_user(db.session(), Role.OPERATOR)
    client = empty_app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(make_login(db.session(), user))
    db.session.remove()
    yield client
    db.session.remove()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def execute(*statements: str) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def add(folder: Path, id: str, after: str) -> None:  # noqa: A002
    text = STEP.format(id=id, after=after)
    (folder / "versions" / f"20990101_{id}.py").write_text(text, "utf-8")


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def test_at_head_it_shows_both_revisions_and_the_history(operator: FlaskClient) -> None:
    page = operator.get(PAGE).text

    assert "The database schema is the one of this code." in page
    assert "Nothing waits." in page
    assert "None: every table, index" in page
    assert "Create the shop" in page
    assert "as recorded" in page
    assert "flask db upgrade</code></pre>" not in page


def test_what_waits_comes_with_its_sql_its_locks_and_the_command(operator: FlaskClient) -> None:
    downgrade(revision="-1")

    page = operator.get(PAGE).text

    assert "1 migration waits" in page
    assert "flask db upgrade</code></pre>" in page
    assert f'id="step-{HEAD}"' in page
    assert "can be undone" in page
    assert "CREATE" in page
    assert "downgrade" in page


def test_the_sql_of_what_waits_can_be_taken_along(operator: FlaskClient) -> None:
    downgrade(revision="-1")

    answer = operator.get("/admin/migrations/pending.sql")

    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="pending.sql"'
    assert answer.text.startswith(f"-- {HEAD}  ")
    assert "CREATE" in answer.text


def test_a_revision_from_a_later_version_is_shown_not_an_error(operator: FlaskClient) -> None:
    execute("UPDATE alembic_version SET version_num = 'f00d'")

    answer = operator.get(PAGE)

    assert answer.status_code == 200
    assert "ahead of this code" in answer.text
    assert "f00d" in answer.text
    assert "flask db upgrade</code></pre>" not in answer.text


def test_a_missing_version_table_is_shown_and_not_made(operator: FlaskClient) -> None:
    execute("DROP TABLE alembic_version")

    answer = operator.get(PAGE)

    assert answer.status_code == 200
    assert "flask db stamp &lt;revision&gt;</code></pre>" in answer.text
    assert "Not known: nobody has said" in answer.text
    assert "alembic_version" not in sa.inspect(db.engine).get_table_names()


def test_a_database_from_before_recording_is_said_to_be_one(operator: FlaskClient) -> None:
    execute("DROP TABLE schema_history")

    page = operator.get(PAGE).text

    assert "Nothing was recorded yet" in page
    assert "Only compared with the models" in page
    assert "schema_history" not in sa.inspect(db.engine).get_table_names()


def test_drift_is_grouped_by_table_with_what_was_expected(operator: FlaskClient) -> None:
    execute("CREATE VIEW rogue AS SELECT id FROM tags", "DROP INDEX ix_order_items_order_id")

    page = operator.get(PAGE).text

    assert "2 objects differ" in page
    assert '<th scope="rowgroup" rowspan="1">order_items</th>' in page
    assert '<th scope="rowgroup" rowspan="1">rogue</th>' in page
    assert "<code>ix_order_items_order_id</code>" in page


def test_a_failure_and_a_changed_file_stand_in_the_history(operator: FlaskClient) -> None:
    execute(
        f"UPDATE schema_history SET checksum = '{'0' * 64}' WHERE revision = '{HEAD}'",
        "UPDATE schema_history SET error = 'UndefinedTable: <no> such table' WHERE id = 1",
    )

    page = operator.get(PAGE).text

    assert "upgrade, failed" in page
    assert "UndefinedTable: &lt;no&gt; such table" in page
    assert "file changed" in page
    assert "flask db-accept &lt;revision&gt;" in page


def test_a_running_migration_is_seen(operator: FlaskClient) -> None:
    if is_sqlite():
        pytest.skip("SQLite does not tell who writes")
    with one_at_a_time(db.engine, 5, lambda _sentence: None):
        assert "A migration is running now." in operator.get(PAGE).text


def test_tables_that_are_locked_do_not_stop_the_page(operator: FlaskClient) -> None:
    if is_sqlite():
        pytest.skip("SQLite readers never wait")
    with db.engine.connect() as busy:
        busy.execute(sa.text("LOCK TABLE tags IN ACCESS EXCLUSIVE MODE"))
        answer = operator.get(PAGE)

    assert answer.status_code == 200
    assert "The database schema is the one of this code." in answer.text


def test_an_invalid_index_comes_with_the_statement_that_mends_it(operator: FlaskClient) -> None:
    if is_sqlite():
        pytest.skip("an index of SQLite is there or not")
    execute(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'ix_orders_email_prefix'::regclass"
    )

    page = operator.get(PAGE).text

    assert "REINDEX INDEX CONCURRENTLY ix_orders_email_prefix;" in page
    assert "1 index or constraint does not count yet." in page


def test_the_json_twin_says_the_same(operator: FlaskClient) -> None:
    execute("CREATE VIEW rogue AS SELECT id FROM tags")

    found = operator.get("/admin/migrations/index.json").get_json()

    assert [said["word"] for said in found["verdicts"]] == ["at head", "drift"]
    assert found["current"] == found["heads"] == [HEAD]
    assert found["drift"][0]["table"] == "rogue"
    assert found["history"][0]["revision"] == HEAD


def test_looking_again_within_seconds_asks_the_database_once(operator: FlaskClient) -> None:
    first = operator.get("/admin/migrations/index.json").get_json()
    execute("CREATE VIEW rogue AS SELECT id FROM tags")

    assert operator.get("/admin/migrations/index.json").get_json() == first


def test_the_size_of_a_table_decides_what_a_lock_means(empty_app: Flask, folder: Path) -> None:
    upgrade()
    add(folder, "aaaa", HEAD)

    [step] = read_report(db.engine.engine, folder).plan

    assert step.revision.id == "aaaa"
    assert step.is_reversible
    if is_sqlite():
        assert step.lock == "WRITE"
        assert step.impacts[0].sentence.endswith("It has no rows.")
    else:
        assert step.lock == "ACCESS EXCLUSIVE"
        assert step.impacts[0].sentence.startswith("Nobody can read or write tags for an instant.")
        assert step.preview.statements == ("ALTER TABLE tags ADD COLUMN aaaa INTEGER;",)


def test_several_heads_have_their_word(empty_app: Flask, folder: Path) -> None:
    upgrade()
    add(folder, "aaaa", HEAD)
    add(folder, "bbbb", HEAD)

    report = read_report(db.engine.engine, folder)

    assert [said.word for said in report.verdicts] == ["several heads"]
    assert int(report.code) == 5
    assert {step.revision.id for step in report.plan} == {"aaaa", "bbbb"}


def test_only_some_of_very_many_are_drawn(empty_app: Flask, folder: Path) -> None:
    upgrade()
    after = HEAD
    for number in range(55):
        add(folder, f"s{number:03}", after)
        after = f"s{number:03}"

    report = read_report(db.engine.engine, folder)

    assert len(report.status.pending) == 55
    assert [step.revision.id for step in report.plan] == [f"s{number:03}" for number in range(50)]
