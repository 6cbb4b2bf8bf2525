"""The facts by group, and the advice that follows from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine

from backoffice.db import db, utc_now
from backoffice.system.examination import Examination, Outcome
from backoffice.system.inspection import advice
from backoffice.system.inspection.groups import POSTGRESQL, SQLITE
from backoffice.system.inspection.reading import Advice, Group, Reading, read_groups
from backoffice.system.inspection.report import inspect_installation

OLD = utc_now() - timedelta(days=60)
YOUNG = utc_now() - timedelta(days=2)


@pytest.fixture
def engine(migrated_app: Flask) -> Engine:
    with migrated_app.app_context():
        return db.engine


@pytest.fixture
def spoiled(empty_app: Flask) -> Engine:
    """A database of its own, with a foreign key that has no index and an index that is double."""
    statements = (
        "CREATE TABLE parents (id integer PRIMARY KEY)",
        """CREATE TABLE children (id integer PRIMARY KEY, a integer, b integer,
             parent_id integer CONSTRAINT fk_parent REFERENCES parents (id),
             other_id integer REFERENCES parents (id))""",
        "CREATE INDEX ix_long ON children (a, b)",
        "CREATE INDEX ix_short ON children (a)",
        "CREATE INDEX ix_other ON children (other_id) WHERE other_id IS NOT NULL",
        "CREATE INDEX ix_partial ON children (b) WHERE a = 1",
    )
    with db.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    return db.engine


def readings(engine: Engine, groups: Sequence[Group] | None = None) -> dict[str, Reading]:
    groups = groups or (SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL)
    with Examination(engine) as look:
        return {one.name: one for one in read_groups(look.connection(), groups)}


def only_on(engine: Engine, dialect: str) -> None:
    if engine.dialect.name != dialect:
        pytest.skip(f"about {dialect}")


def test_every_group_answers(engine: Engine) -> None:
    failed = {name: one.problem for name, one in readings(engine).items() if one.problem}

    assert set(failed) <= {"statements"}  # which needs an extension
    assert all("pg_stat_statements is not there." in problem for problem in failed.values())


def test_a_group_that_fails_says_so_and_the_others_are_shown(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = (Group("server", "Server"), Group("statements", "Broken", missing="Not there."))
    queries = {"server": "SELECT 1 AS one", "statements": "SELECT no_such_column"}
    monkeypatch.setattr(
        "backoffice.system.inspection.reading._query", lambda _dialect, name: sa.text(queries[name])
    )

    found = readings(engine, (groups[1], groups[0]))

    assert found["statements"].problem == "Not there."
    assert found["server"].figures == {"one": 1}


def test_a_group_that_takes_too_long_is_cut_off(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    monkeypatch.setattr(
        "backoffice.system.inspection.reading._query", lambda _dialect, _name: sa.text(endless)
    )

    found = readings(engine, (Group("server", "Server"),))

    assert found["server"].problem == "Not known: it took longer than 500 ms."


def test_the_foreign_key_without_an_index_and_the_double_index_are_found(spoiled: Engine) -> None:
    rows = readings(spoiled)["indexes"].rows

    found = {(row["finding"], row["table"], row["name"]) for row in rows}
    key = "parent_id" if spoiled.dialect.name == "sqlite" else "fk_parent"
    assert found == {
        ("duplicate", "children", "ix_short"),
        ("not indexed", "children", key),
    }


def test_a_session_that_waits_is_shown_with_the_one_it_waits_for(engine: Engine) -> None:
    only_on(engine, "postgresql")
    with engine.connect() as holder, engine.connect() as waiter:
        holder.execute(sa.text("LOCK TABLE tags IN ACCESS EXCLUSIVE MODE"))
        blocker = holder.scalar(sa.text("SELECT pg_backend_pid()"))
        waiting = waiter.scalar(sa.text("SELECT pg_backend_pid()"))
        thread = threading.Thread(
            target=lambda: waiter.execute(sa.text("SELECT name FROM tags WHERE name = 'Ada L.'"))
        )
        thread.start()
        try:
            rows: dict[Any, Any] = {}
            while waiting not in rows:
                rows = {row["pid"]: row for row in readings(engine)["sessions"].rows}
        finally:
            holder.rollback()
            thread.join()

    assert rows[waiting]["blocked_by"] == str(blocker)
    assert rows[waiting]["statement"] == "SELECT name FROM tags WHERE name = ?"
    assert blocker in rows


def test_a_damaged_file_is_told(tmp_path: Any) -> None:
    path = tmp_path / "damaged.sqlite"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a text)"))
        connection.execute(sa.text("CREATE INDEX i ON t (a)"))
        connection.execute(sa.text("INSERT INTO t VALUES ('x'), ('y')"))
    engine.dispose()
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 3 * 4096] = bytes(4096)  # the page of the index
    path.write_bytes(bytes(content))

    found = readings(engine, SQLITE)["integrity"]

    [said] = found.advice
    assert said.outcome is Outcome.FAIL
    assert "restore a verified backup" in said.sentence


def test_a_database_that_is_down_leaves_the_process() -> None:
    down = sa.create_engine("postgresql+psycopg://someone@127.0.0.1:9/backoffice")

    found = inspect_installation(down)

    assert found.health.outcome is Outcome.FAIL
    assert [one.name for one in found.readings] == ["process", "pool"]


UNUSED = {
    "finding": "unused",
    "table": "orders",
    "name": "ix",
    "detail": "never read",
    "size_bytes": 50 * advice.MEGABYTE,
}
TABLE = {
    "table": "orders",
    "rows_estimated": 20_000,
    "size_bytes": 500 * advice.MEGABYTE,
    "loose_bytes": 0,
    "dead_ratio": 0.0,
    "changed_since_analyze_ratio": 0.0,
    "analyzed_at": YOUNG,
}
KEY = {"table": "t", "column": "id", "sequence": "s", "last_value": 9, "highest": 10}


@pytest.mark.parametrize(
    ("advise", "row", "expected"),
    [
        (advice.of_indexes, UNUSED | {"counted_since_at": OLD}, Outcome.WARN),
        (advice.of_indexes, UNUSED | {"counted_since_at": YOUNG}, None),
        (advice.of_tables, TABLE, None),
        (advice.of_tables, TABLE | {"dead_ratio": 0.21}, Outcome.WARN),
        (advice.of_tables, TABLE | {"analyzed_at": None}, Outcome.WARN),
        (advice.of_tables, TABLE | {"loose_bytes": 300 * advice.MEGABYTE}, Outcome.WARN),
        (advice.of_sequences, KEY | {"used_ratio": 0.49}, None),
        (advice.of_sequences, KEY | {"used_ratio": 0.5}, Outcome.WARN),
        (advice.of_sequences, KEY | {"used_ratio": 0.9}, Outcome.FAIL),
        (
            advice.of_freezing,
            {"table": "t", "used_ratio": 0.76, "used_by_row_locks_ratio": 0},
            Outcome.FAIL,
        ),
        (
            advice.of_replication,
            {
                "kind": "slot",
                "name": "old",
                "state": "inactive",
                "lag_bytes": 2**31,
                "lag_seconds": None,
            },
            Outcome.WARN,
        ),
    ],
)
def test_advice_follows_from_the_facts(
    advise: Callable[[Sequence[dict[str, Any]]], Iterator[Advice]],
    row: dict[str, Any],
    expected: Outcome | None,
) -> None:
    assert [one.outcome for one in advise([row])] == ([expected] if expected else [])


def test_advice_on_what_was_counted_says_since_when() -> None:
    [said] = advice.of_indexes([UNUSED | {"counted_since_at": OLD}])

    assert said.since == OLD
    assert said.evidence == "0 reads, 50 MB"
