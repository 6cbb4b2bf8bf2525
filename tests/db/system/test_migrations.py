"""What is said about the schema, whatever state it is in; and that asking changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.engine import Engine

from backoffice.db import db
from backoffice.errors import UnavailableError
from backoffice.system.health import schema_status
from backoffice.system.migrations import (
    MIGRATIONS_DIR,
    SchemaState,
    SchemaStatus,
    load_scripts,
    read_schema,
    require_head,
)

STEP = """\
'''A later step

Create Date: 2026-11-21 10:00:00
'''
revision = "{id}"
down_revision = "{after}"


def upgrade(): ...


def downgrade(): ...
"""


def tables(engine: Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def set_revision(engine: Engine, *revisions: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        for revision in revisions:
            connection.execute(
                sa.text("INSERT INTO alembic_version VALUES (:id)"), {"id": revision}
            )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations, to which a test may add."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_step(folder: Path, id: str, after: str) -> None:  # noqa: A002
    (folder / "versions" / f"{id}.py").write_text(STEP.format(id=id, after=after), "utf-8")


def read(folder: Path) -> SchemaStatus:
    with db.engine.connect() as connection:
        return read_schema(connection, folder)


HEAD = load_scripts().get_heads()[0]


def test_a_migrated_database_is_at_head(empty_app: Flask) -> None:
    upgrade()

    status = schema_status(db.engine)

    assert status.state is SchemaState.AT_HEAD
    assert status.current == status.heads == (HEAD,)
    assert status.pending == ()
    assert status.history[0].id == HEAD
    assert status.history[-1].message == "Create the shop"
    assert status.history[-1].created_at is not None
    require_head(db.engine)


def test_an_empty_database_is_said_to_be_empty_and_stays_empty(empty_app: Flask) -> None:
    db.engine.connect().close()  # SQLite makes the file on the first connection

    status = schema_status(db.engine)

    assert status.state is SchemaState.EMPTY
    assert [step.id for step in status.pending][-1] == HEAD
    assert status.history == ()
    assert "flask db upgrade" in status.sentence
    assert tables(db.engine) == set()


def test_tables_without_a_revision_are_not_taken_for_an_empty_database(empty_app: Flask) -> None:
    upgrade()
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))

    status = schema_status(db.engine)

    assert status.state is SchemaState.NOT_STAMPED
    assert "flask db stamp" in status.sentence
    assert "alembic_version" not in tables(db.engine)


def test_a_revision_that_this_code_does_not_know_is_ahead(empty_app: Flask) -> None:
    upgrade()
    set_revision(db.engine, "f00d")

    status = schema_status(db.engine)

    assert status.state is SchemaState.AHEAD
    assert status.unknown == ("f00d",)
    assert status.pending == status.history == ()
    assert [step.is_applied for step in status.revisions] == [None] * len(status.revisions)
    with pytest.raises(UnavailableError, match="ahead of this code"):
        require_head(db.engine)


def test_waiting_migrations_are_listed_in_the_order_they_run(
    empty_app: Flask, folder: Path
) -> None:
    upgrade()
    add_step(folder, "aaaa", HEAD)
    add_step(folder, "bbbb", "aaaa")

    status = read(folder)

    assert status.state is SchemaState.PENDING
    assert [step.id for step in status.pending] == ["aaaa", "bbbb"]
    assert status.pending[1].down_revisions == ("aaaa",)
    assert "2 migrations wait" in status.sentence


def test_several_heads_are_named(empty_app: Flask, folder: Path) -> None:
    upgrade()
    add_step(folder, "aaaa", HEAD)
    add_step(folder, "bbbb", HEAD)

    status = read(folder)

    assert status.state is SchemaState.SEVERAL_HEADS
    assert status.heads == ("aaaa", "bbbb")
    assert "flask db merge heads" in status.sentence


@pytest.mark.filterwarnings("ignore:Revision missing referenced:UserWarning")
def test_revisions_that_do_not_fit_together_are_one_sentence(
    empty_app: Flask, folder: Path
) -> None:
    upgrade()
    add_step(folder, "aaaa", "missing")

    with pytest.raises(UnavailableError, match="do not fit together"):
        read(folder)


def test_an_unreachable_database_is_one_sentence() -> None:
    engine = sa.create_engine("postgresql+psycopg://someone:hunter2@127.0.0.1:9/backoffice")

    with pytest.raises(UnavailableError, match="does not answer") as caught:
        schema_status(engine)

    assert "hunter2" not in str(caught.value)
