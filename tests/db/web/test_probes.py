"""Probes tell machines one word, and nobody more."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from backoffice.app import create_app
from backoffice.db import db
from config import TestingConfig

PATHS = ("/livez", "/healthz", "/readyz")
UNREACHABLE = "postgresql+psycopg://someone:hunter2@127.0.0.1:9/backoffice"


@pytest.fixture
def down() -> FlaskClient:
    """A client of an application whose database does not answer."""
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=UNREACHABLE))
    return app.test_client()


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_gets_one_word(migrated_app: Flask, path: str) -> None:
    response = migrated_app.test_client().get(path)

    assert response.status_code == 200
    assert response.get_json() == {"status": "pass"}
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", PATHS)
def test_a_probe_takes_no_posts(migrated_app: Flask, path: str) -> None:
    assert migrated_app.test_client().head(path).status_code == 200
    assert migrated_app.test_client().post(path).status_code in (400, 405)


def test_without_a_database_the_process_lives_but_is_not_ready(down: FlaskClient) -> None:
    assert down.get("/livez").status_code == 200
    assert down.get("/healthz").status_code == 200

    response = down.get("/readyz")

    assert response.status_code == 503
    assert response.get_json() == {"status": "fail"}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("revision", [None, "f00d"])
def test_a_schema_of_another_version_is_not_ready(empty_app: Flask, revision: str | None) -> None:
    if revision:
        upgrade()
        with db.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = 'f00d'"))

    response = empty_app.test_client().get("/readyz")

    assert response.status_code == 503
    assert response.get_json() == {"status": "fail"}


def test_a_probe_may_come_under_any_host_name(database_url: str, migrated_app: Flask) -> None:
    config = TestingConfig(
        SQLALCHEMY_DATABASE_URI=database_url, TRUSTED_HOSTS=[".shop.example", "b.example"]
    )
    client = create_app(config).test_client()

    assert client.get("/readyz", headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_probes_leave_no_line_in_the_log(
    migrated_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for path in PATHS:
            migrated_app.test_client().get(path)

    assert [record for record in caplog.records if record.name == "backoffice.request"] == []


def test_probes_are_not_rate_limited(migrated_app: Flask) -> None:
    client = migrated_app.test_client()

    assert {client.get("/readyz").status_code for _ in range(200)} == {200}
