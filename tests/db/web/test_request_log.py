"""What a request leaves in the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User
from backoffice.web import observe
from backoffice.web.logs import FactsJsonFormatter, RequestIdFilter, TextFormatter
from tests.factories import make_user


@pytest.fixture
def facts(caplog: pytest.LogCaptureFixture) -> Callable[[str], dict[str, object]]:
    """Return the facts of the one record with a message."""

    def find(message: str) -> dict[str, object]:
        (record,) = [r for r in caplog.records if r.message == message]
        found: dict[str, object] = record.facts  # type: ignore[attr-defined]
        return found

    caplog.set_level("INFO", "backoffice.request")
    return find


def test_a_request_is_one_line_of_facts(
    session: Session,
    client: FlaskClient,
    sign_in: Callable[[Role], User],
    facts: Callable[[str], dict[str, object]],
) -> None:
    user = sign_in(Role.ADMIN)

    client.get("/admin/orders/?search=somebody@example.com")

    line = facts("request")
    assert line["method"] == "GET"
    assert line["route"] == "/admin/orders/"
    assert line["status"] == 200
    assert line["user_id"] == user.id
    assert (
        line["statements"] == 4
    )  # the user, their settings, the rows; and the test's own savepoint
    assert set(line) == {
        "method", "route", "status", "ms", "statements", "statements_ms", "user_id",
    }  # fmt: skip


def test_probes_and_assets_are_not_logged(
    session: Session, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "backoffice.request")

    for path in ("/livez", "/healthz", "/readyz", "/static/css/backoffice.css"):
        client.get(path).close()

    assert [r for r in caplog.records if r.name == "backoffice.request"] == []


def test_a_slow_statement_is_a_warning_without_its_values(
    session: Session,
    client: FlaskClient,
    sign_in: Callable[[Role], User],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign_in(Role.ADMIN)
    make_user(session, username="somebody")
    clock = iter(range(10_000))
    monkeypatch.setattr("backoffice.db.time.perf_counter", lambda: next(clock))

    client.get("/admin/users/?search=somebody")

    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings
    for record in warnings:
        assert record.message == "slow query"
        line: dict[str, object] = record.facts  # type: ignore[attr-defined]
        assert set(line) == {"ms", "route", "sql"}
        assert "somebody" not in str(line)


def test_a_trusted_proxy_names_the_request_and_a_stranger_does_not(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"X-Request-ID": "given-by-the-caller"}
    assert client.get("/login", headers=given).headers["X-Request-ID"] != "given-by-the-caller"

    monkeypatch.setitem(client.application.config, "PROXY_HOPS", 1)
    assert client.get("/login", headers=given).headers["X-Request-ID"] == "given-by-the-caller"
    senseless = {"X-Request-ID": "x y"}
    assert client.get("/login", headers=senseless).headers["X-Request-ID"] != "x y"


def record_of(message: str, **facts: object) -> logging.LogRecord:
    record = logging.LogRecord("backoffice", logging.INFO, "", 0, message, None, None)
    record.facts = facts
    RequestIdFilter().filter(record)
    return record


def test_json_lines_carry_the_facts_as_members() -> None:
    formatter = FactsJsonFormatter("{asctime}{levelname}{message}{request_id}", style="{")

    line = json.loads(formatter.format(record_of("request", status=200)))

    assert (line["message"], line["status"], line["request_id"]) == ("request", 200, "-")
    assert line["asctime"].endswith("+00:00")


def test_text_lines_end_with_the_facts() -> None:
    line = TextFormatter("%(levelname)s %(message)s").format(record_of("request", status=200))

    assert line == "INFO request status=200"


def test_a_message_cannot_look_like_two_lines() -> None:
    line = TextFormatter("%(levelname)s %(message)s").format(record_of("a\nERROR b\x1b[2Jé"))

    assert line == r"INFO a\nERROR b\x1b[2Jé"


def test_a_statement_is_logged_on_one_line() -> None:
    assert observe._short("SELECT 1\n  FROM x") == "SELECT 1 FROM x"
