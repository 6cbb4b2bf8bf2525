"""`flask status` says the same as the pages, to people and to scripts."""

from __future__ import annotations

import json

from flask import Flask
from flask.testing import FlaskCliRunner
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from backoffice.app import create_app
from config import TestingConfig


def test_status_of_a_sound_installation(session: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["status"])

    assert result.exit_code == 0, result.output
    assert "The database answers." in result.output
    assert "Revision in the database: " in result.output
    assert "Something has failed" not in result.output


def test_status_as_json(session: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["status", "--json"])

    facts = json.loads(result.output)
    assert facts["status"] in ("pass", "warn")
    assert facts["checks"]["database"]["unit"] == "ms"
    assert facts["schema"]["state"] == "at head"
    assert facts["schema"]["current"] == facts["schema"]["heads"]
    assert facts["schema"]["pending"] == []


def test_columns_are_aligned(session: Session, runner: FlaskCliRunner) -> None:
    lines = runner.invoke(args=["status"]).output.split("\n\n")[0].splitlines()

    database, schema = lines[:2]
    assert database.index("The database") == schema.index("The database")


def test_a_schema_that_is_behind_fails_and_says_what_to_run(empty_app: Flask) -> None:
    runner = empty_app.test_cli_runner()
    upgrade()

    assert runner.invoke(args=["status"]).exit_code == 0
    assert runner.invoke(args=["db", "downgrade", "base"]).exit_code == 0
    result = runner.invoke(args=["status"])

    assert result.exit_code == 1
    assert "flask db upgrade" in result.output
    assert "Pending: 31e7  Create the shop" in result.output


def test_a_database_that_is_down_is_a_sentence_and_exit_code_1() -> None:
    url = "postgresql+psycopg://someone:hunter2@127.0.0.1:9/backoffice"
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=url))

    result = app.test_cli_runner().invoke(args=["status"])

    assert result.exit_code == 1
    assert "The database does not answer." in result.output
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_json_of_a_database_that_is_down() -> None:
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI="postgresql+psycopg://u@127.0.0.1:9/b"))

    result = app.test_cli_runner().invoke(args=["status", "--json"])

    facts = json.loads(result.output)
    assert result.exit_code == 1
    assert facts["status"] == "fail"
    assert facts["schema"] is None
