"""`flask seed-db` and `flask seed-fake`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.models import ChangeSet, Order, Tag, User
from backoffice.reports.connections import open_engine
from backoffice.reports.quality.catalog import CHECKS
from backoffice.reports.quality.check import examine_all
from backoffice.reports.runner import ReportRunner
from tests.cleaning import empty_tables
from tests.factories import count, make_tag


@pytest.fixture
def committed(committed: Session) -> Iterator[Session]:
    """As everywhere, but the category tree is taken down as well."""
    yield committed
    committed.rollback()
    empty_tables()


def test_seed_db_counts_what_it_made_and_then_finds_it(
    committed: Session, runner: FlaskCliRunner
) -> None:
    first = runner.invoke(args=["seed-db"])
    second = runner.invoke(args=["seed-db"])

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "orders           3,000 created        0 unchanged\n" in first.output
    assert "orders               0 created    3,000 unchanged\n" in second.output
    assert first.output.splitlines()[-1].startswith("Done in ")
    assert count(committed, Order) == 3000


def test_seed_db_refuses_another_seed(committed: Session, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["seed-db", "--as-of", "2026-06-01"])

    result = runner.invoke(args=["seed-db", "--as-of", "2026-06-01", "--seed", "7"])

    assert result.exit_code == 1
    assert "already holds the demo shop of --seed 42 --as-of 2026-06-01" in result.output
    assert count(committed, ChangeSet) == 1


@pytest.mark.parametrize("args", [["seed-db"], ["seed-fake", "5"]])
def test_both_name_the_flag_that_allows_foreign_rows(
    committed: Session, runner: FlaskCliRunner, args: list[str]
) -> None:
    make_tag(committed, "theirs")

    refused = runner.invoke(args=args)
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: This database holds rows that no seed run made: tags")
    assert count(committed, User) == 0

    allowed = runner.invoke(args=[*args, "--add-to-existing"])
    assert allowed.exit_code == 0, allowed.output
    assert count(committed, User) > 0


@pytest.mark.parametrize("args", [["seed-db"], ["seed-fake", "5"]])
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_both_refuse_outside_development_and_testing(
    app: Flask,
    committed: Session,
    runner: FlaskCliRunner,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    environment: str,
) -> None:
    monkeypatch.setitem(app.config, "APP_ENV", environment)

    result = runner.invoke(args=[*args, "--add-to-existing"])

    assert result.exit_code == 1
    assert f"APP_ENV is {environment}" in result.output
    assert count(committed, User) == count(committed, Tag) == count(committed, ChangeSet) == 0


def test_seed_fake_adds_users_each_time(committed: Session, runner: FlaskCliRunner) -> None:
    for _run in range(2):
        result = runner.invoke(args=["seed-fake", "25"])
        assert result.exit_code == 0, result.output
        assert "users               25 created" in result.output

    assert count(committed, User) == 50


@pytest.mark.parametrize(
    "args",
    [
        ["seed-fake"],
        ["seed-fake", "0"],
        ["seed-fake", "-1"],
        ["seed-fake", "100001"],
        ["seed-fake", "many"],
        ["seed-fake", "5", "--seed", "x"],
        ["seed-db", "--seed", "-1"],
        ["seed-db", "--as-of", "yesterday"],
        ["seed-db", "--as-of", "2026-02-30"],
        ["seed-db", "--as-of", "1999-12-31"],
        ["seed-db", "3000"],
    ],
)
def test_wrong_arguments_are_usage_errors(
    committed: Session, runner: FlaskCliRunner, args: list[str]
) -> None:
    result = runner.invoke(args=args)

    assert result.exit_code == 2
    assert "Usage:" in result.output
    assert count(committed, User) == 0


def test_the_demo_shop_breaks_no_rule_about_the_data(
    committed: Session, runner: FlaskCliRunner, database_url: str
) -> None:
    runner.invoke(args=["seed-db"])
    engine = open_engine(database_url)
    findings = examine_all(ReportRunner(engine, concurrency=1), CHECKS)
    engine.dispose()

    assert count(committed, Order) > 1000
    assert [(found.check.slug, found.count, found.problem) for found in findings] == [
        (check.slug, "0", "") for check in CHECKS
    ]
