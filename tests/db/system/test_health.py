"""The checks, and the way they are run."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine

from backoffice.db import db
from backoffice.errors import UnavailableError
from backoffice.system.examination import (
    Examination,
    Health,
    Outcome,
    Result,
    examine,
    probe_engine,
)
from backoffice.system.health import CHECKS, READINESS, STARTED_AT
from backoffice.system.kept import Kept

DOWN = "postgresql+psycopg://someone:hunter2@127.0.0.1:{port}/backoffice"


@pytest.fixture
def engine(migrated_app: Flask) -> Engine:
    with migrated_app.app_context():
        return db.engine


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_all_checks_pass_on_a_sound_installation(engine: Engine) -> None:
    health = examine(engine, CHECKS)

    failed = {
        name: result for name, result in health.results.items() if result.outcome is Outcome.FAIL
    }
    assert failed == {}
    assert health.results["schema"].value == "at head"
    assert list(health.results)[:2] == ["database", "schema"]


def test_each_database_has_its_own_facts(engine: Engine) -> None:
    names = set(examine(engine, CHECKS).results)

    if engine.dialect.name == "sqlite":
        assert "journal_mode" in names
        assert not names & {"server_connections", "idle_transactions"}
    else:
        assert names >= {"server_connections", "idle_transactions", "connection_pool"}
        assert "journal_mode" not in names


def test_every_result_is_a_sentence(engine: Engine) -> None:
    for name, result in examine(engine, CHECKS, redis_url="redis://127.0.0.1:9/0").results.items():
        assert result.sentence[0].isupper(), name
        assert result.sentence.endswith("."), name


def test_the_checks_cannot_write(engine: Engine) -> None:
    with Examination(engine) as look, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read-?only"):
        look.connection().execute(sa.text("DELETE FROM tags"))


def test_the_checks_do_not_take_a_connection_of_the_application(engine: Engine) -> None:
    with engine.connect():
        before = engine.pool.status()
        examine(engine, CHECKS)
        assert engine.pool.status() == before


def test_a_check_that_breaks_does_not_stop_the_others(engine: Engine) -> None:
    def broken(look: Examination) -> Result:
        look.connection().execute(sa.text("SELECT no_such_column FROM tags"))
        raise AssertionError("not reached")

    health = examine(engine, (broken, *READINESS))

    assert health.results["broken"].outcome is Outcome.FAIL
    assert "no_such_column" not in health.results["broken"].sentence
    assert health.results["schema"].outcome is Outcome.PASS


def test_a_slow_statement_is_cut_off(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite waits for locks only, and its time-out is set")
    with Examination(engine) as look:
        started = time.monotonic()
        with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
            look.connection().execute(sa.text("SELECT pg_sleep(10)"))
        assert time.monotonic() - started < 3


def test_a_database_that_is_down_fails_every_check_that_needs_it() -> None:
    health = examine(sa.create_engine(DOWN.format(port=9)), CHECKS)

    assert health.outcome is Outcome.FAIL
    assert "does not answer" in health.results["database"].sentence
    assert health.results["schema"].sentence.startswith("Not checked")
    assert health.results["process"].outcome is Outcome.PASS
    assert "hunter2" not in str(health)


def test_a_server_that_says_nothing_is_given_up_after_seconds(silent_port: int) -> None:
    started = time.monotonic()

    health = examine(sa.create_engine(DOWN.format(port=silent_port)), CHECKS)

    assert health.outcome is Outcome.FAIL
    assert time.monotonic() - started < 4


def test_a_missing_sqlite_file_is_not_created(tmp_path: object) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/missing.sqlite")

    with pytest.raises(UnavailableError), Examination(engine) as look:
        look.connection()

    with pytest.raises(sa.exc.OperationalError):
        probe_engine(engine.url).connect()


def test_redis_that_does_not_answer_is_a_warning(engine: Engine) -> None:
    health = examine(engine, CHECKS, redis_url="redis://:hunter2@127.0.0.1:9/0")

    assert health.results["rate_limit_storage"].outcome is Outcome.WARN
    assert "hunter2" not in str(health)


def test_the_worst_result_is_the_verdict() -> None:
    def health(*outcomes: Outcome) -> Outcome:
        results = {str(index): Result(one, "So.") for index, one in enumerate(outcomes)}
        return Health(results, STARTED_AT).outcome

    assert health(Outcome.PASS) is Outcome.PASS
    assert health(Outcome.PASS, Outcome.WARN) is Outcome.WARN
    assert health(Outcome.WARN, Outcome.FAIL, Outcome.PASS) is Outcome.FAIL


def test_many_probes_at_once_ask_the_database_once(engine: Engine) -> None:
    asked: list[float] = []

    def slow(_look: Examination) -> Result:
        asked.append(time.monotonic())
        time.sleep(0.1)
        return Result(Outcome.PASS, "So.")

    readiness = Kept(lambda: examine(engine, (slow,)).outcome, 60)
    answers: list[Outcome] = []
    threads = [threading.Thread(target=lambda: answers.append(readiness.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [Outcome.PASS] * 8
    assert len(asked) == 1


def test_a_reports_database_of_its_own_is_looked_at(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)

    same = examine(engine, CHECKS, reports_url=url).results["reports_database"]
    down = examine(engine, CHECKS, reports_url=DOWN.format(port=9)).results["reports_database"]

    assert same.outcome is Outcome.PASS
    assert down.outcome is Outcome.FAIL
    assert "REPORTS_DATABASE_URL" in down.sentence
