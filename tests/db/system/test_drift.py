"""What somebody did to the schema by hand is seen, also where the models cannot see it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, stamp, upgrade
from sqlalchemy.exc import DBAPIError

from backoffice.db import Base, db
from backoffice.system.schema.catalogue import expected_after
from backoffice.system.schema.drift import Leftover, read_drift, read_leftovers

Seen = tuple[str, str, str, str]


@pytest.fixture
def shop(empty_app: Flask) -> Flask:
    upgrade()
    return empty_app


def by_hand(*statements: str) -> None:
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def drift(*, models: bool = True) -> list[Seen]:
    with db.engine.connect() as connection:
        found = read_drift(connection, Base.metadata if models else None)
    return [(one.verdict, one.kind, one.table, one.name) for one in found]


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def test_a_migrated_database_has_no_drift(shop: Flask) -> None:
    assert drift() == []


def test_neither_has_one_that_went_down_and_up(shop: Flask) -> None:
    downgrade(revision="base")
    upgrade()

    assert drift() == []


@pytest.mark.parametrize("models", [True, False])
def test_an_index_made_by_hand_is_told_once(shop: Flask, models: bool) -> None:
    by_hand("CREATE INDEX rogue ON tags (created_at)")

    assert drift(models=models) == [("extra", "index", "tags", "rogue")]


def test_a_dropped_index_and_an_added_column_are_told_once(shop: Flask) -> None:
    by_hand("DROP INDEX ix_orders_email_prefix", "ALTER TABLE tags ADD COLUMN rogue INTEGER")

    assert drift() == [
        ("missing", "index", "orders", "ix_orders_email_prefix"),
        ("extra", "column", "tags", "rogue"),
    ]


def test_the_comparison_with_the_models_follows_every_change(shop: Flask) -> None:
    by_hand("DROP TABLE schema_history")  # so that nothing but the models tells
    assert drift() == []

    by_hand("CREATE INDEX rogue ON tags (created_at)")
    assert drift() == [("extra", "index", "tags", "rogue")]

    by_hand("DROP INDEX rogue")
    assert drift() == []


def test_a_view_is_seen(shop: Flask) -> None:
    by_hand("CREATE VIEW rogue AS SELECT id FROM tags")

    assert drift() == [("extra", "view", "rogue", "rogue")]


def test_a_table_made_by_hand_is_one_line(shop: Flask) -> None:
    by_hand("CREATE TABLE rogue (id INTEGER PRIMARY KEY, a TEXT)", "CREATE INDEX i ON rogue (a)")

    assert drift(models=False) == [("extra", "table", "rogue", "rogue")]


def test_what_only_postgresql_has_is_seen(shop: Flask) -> None:
    if is_sqlite():
        pytest.skip("SQLite has no functions, grants or defaults to be changed alone")
    by_hand(
        "ALTER TABLE tags ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE orders DROP CONSTRAINT ck_orders_total_not_negative",
        "ALTER TABLE orders ADD CONSTRAINT ck_orders_total_not_negative CHECK (total_amount > -1)",
        "CREATE FUNCTION rogue(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
        "GRANT SELECT ON users TO PUBLIC",
        "ALTER TABLE profiles ENABLE ROW LEVEL SECURITY",
        "ALTER SEQUENCE tags_id_seq INCREMENT 10",
    )

    assert drift() == [
        ("different", "constraint", "orders", "ck_orders_total_not_negative"),
        ("different", "table", "profiles", "profiles"),
        ("extra", "function", "rogue", "rogue(a integer)"),
        ("different", "column", "tags", "name"),
        ("different", "sequence", "tags_id_seq", "tags_id_seq"),
        ("extra", "grants", "users", "users"),
    ]


def test_drift_is_not_forgotten_by_the_next_migration(shop: Flask) -> None:
    by_hand("CREATE VIEW rogue AS SELECT id FROM tags")

    downgrade(revision="-1")
    upgrade()

    assert drift() == [("extra", "view", "rogue", "rogue")]


def test_whoever_stamps_says_that_the_database_is_right(shop: Flask) -> None:
    by_hand("CREATE VIEW rogue AS SELECT id FROM tags")

    stamp(revision="head", purge=True)

    assert drift() == []


def test_a_run_adds_its_own_changes_to_what_is_expected() -> None:
    view, table, column = ("v", "view", "v"), ("t", "table", "t"), ("t", "column", "c")

    after = expected_after(
        {table: "", column: "int"},
        before={table: "", column: "int", view: "by hand"},
        after={table: "", column: "bigint", view: "by hand"},
    )

    assert after == {table: "", column: "bigint"}


def test_an_index_that_was_not_finished_is_found_with_its_remedy(shop: Flask) -> None:
    if is_sqlite():
        with db.engine.connect() as connection:
            assert read_leftovers(connection) == ()
        return
    by_hand(
        "INSERT INTO tags (name, version, created_at, updated_at)"
        " SELECT 'tag ' || g, 1, now(), now() FROM generate_series(1, 2) AS g",
        "ALTER TABLE tags ADD CONSTRAINT later CHECK (name <> 'no') NOT VALID",
    )
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(DBAPIError):
            connection.execute(sa.text("CREATE UNIQUE INDEX CONCURRENTLY broken ON tags (version)"))
        found = read_leftovers(connection)
        assert found == (
            Leftover("index", "broken", "tags", "REINDEX INDEX CONCURRENTLY broken;"),
            Leftover("constraint", "later", "tags", "ALTER TABLE tags VALIDATE CONSTRAINT later;"),
        )
        connection.execute(sa.text("DELETE FROM tags"))
        for one in found:
            connection.execute(sa.text(one.mend))
        assert read_leftovers(connection) == ()
