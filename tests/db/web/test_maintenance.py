"""During maintenance people can read, or nobody gets in but those who may manage it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.access import Actor, Role
from backoffice.db import utc_now
from backoffice.errors import InputError, NotFoundError, PermissionDeniedError
from backoffice.models import ChangeSet, Maintenance, MaintenanceMode, Tag, User
from backoffice.services.maintenance import begin_maintenance, end_maintenance
from tests.factories import count, make_tag
from tests.pages import csrf_token, post

SignIn = Callable[[Role], User]
READ_ONLY, CLOSED = MaintenanceMode.READ_ONLY, MaintenanceMode.CLOSED
MESSAGE = "We are moving to a larger server."


@pytest.fixture
def begin(app: Flask, committed: Session, shell: Actor) -> Iterator[Callable[..., None]]:
    """Begin maintenance, and let the application know at once."""

    def start(mode: MaintenanceMode, **values: object) -> None:
        begin_maintenance(shell, mode, message=MESSAGE, **values)  # type: ignore[arg-type]
        app.extensions["schema_watch"].forget()

    yield start
    committed.rollback()
    committed.execute(sa.delete(Maintenance))
    committed.commit()
    app.extensions["schema_watch"].forget()


def test_read_only_people_read_and_nothing_is_saved(
    begin: Callable[..., None], committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    token = csrf_token(client)
    begin(READ_ONLY)

    page = client.get("/admin/tags/")
    answer = client.post("/admin/tags/new/", data={"name": "new", "csrf_token": token})

    assert page.status_code == 200
    assert MESSAGE in page.text
    assert "New tag" not in page.text
    assert MESSAGE in answer.text
    assert count(committed, Tag) == 0


def test_read_only_holds_for_those_who_manage_it_too(
    begin: Callable[..., None], committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)
    token = csrf_token(client)
    begin(READ_ONLY)

    client.post("/admin/tags/new/", data={"name": "new", "csrf_token": token})

    assert count(committed, Tag) == 0


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_closed_only_those_get_in_who_may_manage_it(
    begin: Callable[..., None], client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    sign_in(role)
    begin(CLOSED, ends_at=utc_now() + timedelta(minutes=10))

    answer = client.get("/admin/")

    assert MESSAGE in answer.text
    if role in (Role.OPERATOR, Role.ADMIN):
        assert answer.status_code == 200
    else:
        assert answer.status_code == 503
        assert 590 <= int(answer.headers["Retry-After"]) <= 600


def test_closed_those_who_get_in_can_work(
    begin: Callable[..., None], committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)
    begin(CLOSED)

    post(client, "/admin/tags/new/", page="/admin/tags/new/", name="new")

    assert count(committed, Tag) == 1


def test_closed_strangers_can_sign_in_and_probes_pass(
    begin: Callable[..., None], client: FlaskClient
) -> None:
    begin(CLOSED)

    assert client.get("/admin/").status_code == 302
    page = client.get("/login")
    assert (page.status_code, MESSAGE in page.text) == (200, True)
    assert client.get("/readyz").status_code == 200


def test_it_ends_by_itself(
    begin: Callable[..., None],
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_in(Role.SUPPORT)
    begin(CLOSED, ends_at=utc_now() + timedelta(minutes=10))
    assert client.get("/admin/").status_code == 503

    later = utc_now() + timedelta(minutes=11)
    monkeypatch.setattr("backoffice.system.maintenance.utc_now", lambda: later)

    assert client.get("/admin/").status_code == 200


def test_a_list_sends_no_statement_for_it(
    begin: Callable[..., None],
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def statements() -> list[int]:
        caplog.clear()
        client.get("/admin/tags/")
        return [
            record.facts["statements"]  # type: ignore[attr-defined]
            for record in caplog.records
            if record.name == "backoffice.request"
        ]

    caplog.set_level("INFO")
    sign_in(Role.MANAGER)
    make_tag(committed, "one")
    statements()
    before = statements()
    begin(READ_ONLY)

    assert statements() == before
    assert len(before) == 1


def test_the_page_begins_and_ends_it_and_both_are_in_the_log(
    begin: Callable[..., None], committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.OPERATOR)
    page = "/admin/maintenance/"

    post(client, f"{page}begin", page=page, mode="closed", message=MESSAGE, minutes="5")
    assert "The console is closed." in client.get(page).text
    post(client, f"{page}end", page=page)

    assert "The console is open." in client.get(page).text
    assert count(committed, Maintenance) == 0
    assert committed.scalars(sa.select(ChangeSet.action).order_by(ChangeSet.id)).all() == [
        "maintenance.begin",
        "maintenance.end",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "open", "message": "x"},
        {"mode": "closed", "message": " "},
        {"mode": "closed", "message": "x" * 301},
        {"mode": "closed", "message": "x", "minutes": "0"},
        {"mode": "closed", "message": "x", "minutes": "soon"},
        {"mode": "closed", "message": "x", "minutes": "10081"},
    ],
)
def test_a_wrong_form_begins_nothing(
    begin: Callable[..., None],
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    fields: dict[str, str],
) -> None:
    sign_in(Role.OPERATOR)
    page = "/admin/maintenance/"

    answer = post(client, f"{page}begin", page=page, **fields)

    assert answer.status_code == 400
    assert count(committed, Maintenance) == 0
    assert count(committed, ChangeSet) == 0


def test_whoever_may_not_manage_it_begins_and_ends_nothing(
    begin: Callable[..., None], committed: Session, actor_of: Callable[[Role], Actor]
) -> None:
    for role in (Role.MANAGER, Role.SUPPORT, Role.ANALYST):
        with pytest.raises(PermissionDeniedError):
            begin_maintenance(actor_of(role), CLOSED, message=MESSAGE)
        with pytest.raises(PermissionDeniedError):
            end_maintenance(actor_of(role))

    assert count(committed, Maintenance) == 0


def test_an_end_that_is_past_and_the_end_of_nothing_are_refused(
    committed: Session, shell: Actor
) -> None:
    with pytest.raises(InputError, match="in the past"):
        begin_maintenance(shell, CLOSED, message=MESSAGE, ends_at=utc_now())
    with pytest.raises(NotFoundError):
        end_maintenance(shell)


def test_the_shell_begins_shows_and_ends_it(
    begin: Callable[..., None], committed: Session, runner: FlaskCliRunner
) -> None:
    on = runner.invoke(args=["maintenance", "on", "--message", MESSAGE, "--minutes", "5"])
    shown = runner.invoke(args=["maintenance", "show"])
    off = runner.invoke(args=["maintenance", "off"])
    again = runner.invoke(args=["maintenance", "off"])

    assert on.output.startswith("The console is read-only.")
    assert f": {MESSAGE}" in shown.output
    assert off.output.startswith("The console is open.")
    assert again.exit_code == 1
    assert "There is no maintenance to end." in again.output
