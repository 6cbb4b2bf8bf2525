"""Failures: a sentence and a reference, as a page or as JSON, and nothing of the inside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.tags import TagView
from backoffice.app import create_app
from backoffice.db import db
from backoffice.models import ChangeSet, Tag, User
from config import TestingConfig
from tests.factories import count, make_tag
from tests.pages import post, words

INSIDES = ("Traceback", "SELECT", "INSERT", "psycopg", "sqlite3", "/backoffice/", ".py")
SignIn = Callable[[Role], User]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view whose list fails inside the database, and whose save fails after writing."""

    def fail(*_args: object) -> None:
        db.session.execute(sa.text("SELECT secret_column FROM no_such_table"))

    monkeypatch.setattr(TagView, "page", fail)
    monkeypatch.setattr(TagView, "check", lambda *_args: 1 / 0)


def test_a_missing_page_says_so_and_leads_out(session: Session, client: FlaskClient) -> None:
    response = client.get("/nowhere")

    assert response.status_code == 404
    assert "There is nothing at this address" in words(response)
    assert 'href="/"' in response.text


def test_json_is_answered_with_json(session: Session, client: FlaskClient) -> None:
    response = client.get("/nowhere", headers={"Accept": "application/json"})

    assert response.status_code == 404
    assert response.json is not None
    assert response.json["status"] == 404
    assert response.json["reference"] == response.headers["X-Request-ID"]


def test_an_unexpected_failure_shows_a_reference_that_the_log_has(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    broken: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign_in(Role.ADMIN)

    response = client.get("/admin/tags/")

    assert response.status_code in (500, 503)
    assert response.headers["X-Request-ID"] in words(response)
    assert not [inside for inside in INSIDES if inside in response.text]
    (record,) = [r for r in caplog.records if r.name == "backoffice.error"]
    assert record.exc_info


def test_a_failure_in_the_middle_of_a_save_rolls_back(
    session: Session, client: FlaskClient, sign_in: SignIn, broken: None
) -> None:
    sign_in(Role.ADMIN)

    response = post(client, "/admin/tags/new/", name="lost")

    assert response.status_code == 500
    assert count(session, Tag) == 0


def test_the_next_request_works_after_a_failed_one(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(Role.ADMIN)
    make_tag(session, "there")
    with monkeypatch.context() as patch:
        patch.setattr(TagView, "check", lambda *_args: 1 / 0)
        post(client, "/admin/tags/new/", name="lost")

    assert "there" in words(client.get("/admin/tags/"))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nowhere", 404),
        ("POST", "/logout", 400),
        ("PUT", "/login", 405),
        ("GET", "/logout", 405),
    ],
)
def test_other_refusals_are_pages_of_ours(
    session: Session, client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method)

    assert response.status_code == status
    assert "Go to the first page" in words(response)


def test_a_foreign_host_is_refused(app: Flask, session: Session, client: FlaskClient) -> None:
    trusted = app.config["TRUSTED_HOSTS"]
    app.config["TRUSTED_HOSTS"] = ["backoffice.test"]
    try:
        assert client.get("/login", headers={"Host": "evil.test"}).status_code == 400
        assert client.get("/login", headers={"Host": "backoffice.test"}).status_code == 200
    finally:
        app.config["TRUSTED_HOSTS"] = trusted


@pytest.mark.parametrize("path", ["/admin/", "/admin/orders/", "/login", "/nowhere"])
def test_a_person_who_is_signed_in_reads_that_the_database_is_gone(path: str) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
    client = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=url)).test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["login_token"] = "1:1", "x"

    response = client.get(path)

    assert response.status_code == (404 if path == "/nowhere" else 503)
    assert response.headers["X-Request-ID"] in words(response)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_record_that_vanishes_before_the_save_is_said_to_be_gone(
    session: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(Role.ADMIN)
    tag = make_tag(session, "going")

    def let_somebody_delete_it(*_args: object) -> bool:
        db.session.execute(sa.text("DELETE FROM tags"))
        db.session.commit()
        return True

    monkeypatch.setattr(TagView, "validate_form", let_somebody_delete_it)
    response = post(client, f"/admin/tags/edit/?id={tag.id}", name="new", row_version="1")

    assert response.status_code == 404
    assert "has just deleted this record" in words(response)
    assert count(session, ChangeSet) == 0
