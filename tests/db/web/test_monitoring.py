"""Metrics and health for machines: everything to whoever proves who they are, nothing to others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.app import create_app
from backoffice.models import User
from config import TestingConfig

TOKEN = "a-token-for-scrapers-of-32-characters"
UNREACHABLE = "postgresql+psycopg://someone:hunter2@127.0.0.1:9/backoffice"
PATHS = ("/metrics", "/healthz.json")
OPERATORS = (Role.OPERATOR, Role.ADMIN)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SignIn = Callable[[Role], User]


@pytest.fixture
def scraped(database_url: str, migrated_app: Flask) -> FlaskClient:
    """A client of an application that has a token."""
    config = TestingConfig(SQLALCHEMY_DATABASE_URI=database_url, METRICS_TOKEN=TOKEN)
    return create_app(config).test_client()


def samples(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer ä"},
        {"X-Forwarded-For": "127.0.0.1"},
    ],
)
def test_a_stranger_learns_nothing(scraped: FlaskClient, path: str, header: dict[str, str]) -> None:
    response = scraped.get(path, headers=header)

    assert response.status_code == 401
    for told in ("backoffice_", "PostgreSQL", "SQLite", "schema", "version", "pid"):
        assert told not in response.text


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_in_the_settings_no_token_opens_them(
    migrated_app: Flask, path: str
) -> None:
    client = migrated_app.test_client()

    assert client.get(path, headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get(path, headers=BEARER).status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_of_the_people_only_operators_read_them(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role, path: str
) -> None:
    sign_in(role)

    assert client.get(path).status_code == (200 if role in OPERATORS else 403)


def test_the_token_opens_the_metrics(scraped: FlaskClient) -> None:
    scraped.get("/login")

    response = scraped.get("/metrics", headers=BEARER)

    found = samples(response.text)
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    assert response.headers["Cache-Control"] == "no-store"
    assert found["backoffice_http_requests_total,GET,/login,200"] >= 1
    assert found["backoffice_http_request_duration_seconds_count,/login"] >= 1
    assert found["backoffice_check_status,database"] == 0
    assert found["backoffice_check_status,schema"] == 0
    assert found["backoffice_server_size_bytes"] > 0


def test_paths_and_invented_methods_do_not_become_labels(scraped: FlaskClient) -> None:
    scraped.get("/no-such-page-of-ours")
    scraped.open("/login", method="INVENTED")

    text = scraped.get("/metrics", headers=BEARER).text

    assert "no-such-page" not in text
    assert "INVENTED" not in text
    assert samples(text)["backoffice_http_requests_total,GET,-,404"] >= 1


def test_the_token_opens_health_in_its_own_format(scraped: FlaskClient) -> None:
    response = scraped.get("/healthz.json", headers=BEARER)

    found = response.get_json(force=True)
    assert response.status_code == 200
    assert response.mimetype == "application/health+json"
    assert found["status"] in ("pass", "warn")
    [schema] = found["checks"]["schema:observed"]
    assert (schema["status"], schema["observedValue"]) == ("pass", "at head")
    assert found["groups"]["server"]["figures"]["size_bytes"] > 0


def test_both_answer_while_the_database_is_down() -> None:
    config = TestingConfig(SQLALCHEMY_DATABASE_URI=UNREACHABLE, METRICS_TOKEN=TOKEN)
    client = create_app(config).test_client()

    health = client.get("/healthz.json", headers=BEARER)
    metrics = client.get("/metrics", headers=BEARER)

    assert health.status_code == 503
    assert health.get_json(force=True)["status"] == "fail"
    assert samples(metrics.text)["backoffice_check_status,database"] == 2
    assert "hunter2" not in health.text + metrics.text


def test_scrapers_may_come_under_any_host_name(database_url: str, migrated_app: Flask) -> None:
    config = TestingConfig(
        SQLALCHEMY_DATABASE_URI=database_url,
        METRICS_TOKEN=TOKEN,
        TRUSTED_HOSTS=["shop.example"],
    )
    client = create_app(config).test_client()

    for path in PATHS:
        assert client.get(path, headers=BEARER | {"Host": "10.1.2.3:8000"}).status_code == 200
