"""While schema and code differ, every page says so, reading goes on, and nothing is written."""

from __future__ import annotations

import re
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from backoffice.access import Role
from backoffice.db import db, transaction, write_refusal
from backoffice.errors import UnavailableError
from backoffice.models import ChangeSet, Tag
from backoffice.system.schema.watch import DIFFERS, SchemaWatch
from tests.factories import count, make_login, make_tag, make_user

AHEAD = "UPDATE alembic_version SET version_num = 'f00d'"


class Apart(FlaskClient):
    """A client outside of the test's own app context, as a server's request is."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def shop(empty_app: Flask) -> Flask:
    empty_app.test_client_class = Apart
    upgrade()
    make_tag(db.session(), "new")
    db.session.commit()
    return empty_app


def hidden_fields(client: FlaskClient, page: str) -> dict[str, str]:
    text = client.get(page).text
    return (
        dict(re.findall(r'name="(\w+)"[^>]* type="hidden"[^>]* value="([^"]*)"', text))
        | dict(re.findall(r'type="hidden" name="(\w+)"[^>]* value="([^"]*)"', text))
        | dict(re.findall(r'name="(csrf_token)"[^>]*value="([^"]+)"', text))
    )


def enter(app: Flask, role: Role) -> FlaskClient:
    user = make_user(db.session(), role)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(make_login(db.session(), user), _fresh=True)
    db.session.remove()
    return client


def spoil(app: Flask, statement: str = AHEAD) -> None:
    with db.engine.begin() as connection:
        connection.execute(sa.text(statement))
    app.extensions["schema_watch"].forget()


def test_a_sound_schema_says_nothing(shop: Flask) -> None:
    page = enter(shop, Role.ADMIN).get("/admin/tags/").text

    assert "schema-banner" not in page
    assert "New tag" in page


def test_every_page_says_so_and_can_be_read(shop: Flask) -> None:
    client = enter(shop, Role.MANAGER)
    spoil(shop)

    for address in ("/admin/", "/admin/tags/", "/admin/orders/", "/admin/profile/"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.text.count(DIFFERS) == 1
    assert "New tag" not in client.get("/admin/tags/").text


def test_operators_are_told_what_to_do(shop: Flask) -> None:
    client = enter(shop, Role.OPERATOR)
    spoil(shop)

    page = client.get("/admin/health/").text

    assert "Deploy the version that made it. Until then nothing can be saved here." in page
    assert 'href="/admin/migrations/">See the migrations' in page


def test_strangers_learn_no_more_than_that_it_passes(shop: Flask) -> None:
    spoil(shop)

    page = shop.test_client().get("/login").text

    assert DIFFERS in page
    assert "f00d" not in page
    assert "flask" not in page


def test_a_form_that_was_open_is_not_saved_and_not_lost(shop: Flask) -> None:
    client = enter(shop, Role.MANAGER)
    form = hidden_fields(client, "/admin/tags/new/")
    spoil(shop)

    answer = client.post("/admin/tags/new/", data=form | {"name": "typed with care"})

    assert DIFFERS in answer.text
    assert 'value="typed with care"' in answer.text
    assert (count(db.session(), Tag), count(db.session(), ChangeSet)) == (1, 0)


@pytest.mark.parametrize("address", ["/admin/tags/new/", "/admin/tags/edit/?id=1"])
def test_a_form_cannot_be_opened(shop: Flask, address: str) -> None:
    client = enter(shop, Role.MANAGER)
    reader = enter(shop, Role.ANALYST)
    spoil(shop)

    assert client.get(address).status_code == 503
    assert DIFFERS in client.get(address).text
    assert reader.get(address).status_code == 403


def test_nothing_else_is_written_either(shop: Flask) -> None:
    client = enter(shop, Role.MANAGER)
    form = hidden_fields(client, "/admin/profile/")
    spoil(shop)

    answer = client.post("/admin/profile/settings", data=form | {"theme": "dark"})

    assert answer.status_code == 503
    assert DIFFERS in answer.text


def test_signing_in_and_out_goes_on(shop: Flask) -> None:
    client = enter(shop, Role.MANAGER)
    form = hidden_fields(client, "/admin/profile/")
    spoil(shop)

    answer = client.post("/logout", data=form)

    assert (answer.status_code, answer.location) == (302, "/login")


def test_the_probe_says_not_ready(shop: Flask) -> None:
    spoil(shop)

    assert shop.test_client().get("/readyz").status_code == 503
    assert shop.test_client().get("/livez").status_code == 200


def test_when_they_belong_together_again_saving_works(shop: Flask) -> None:
    head = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    client = enter(shop, Role.MANAGER)
    spoil(shop)
    client.get("/admin/tags/")
    spoil(shop, f"UPDATE alembic_version SET version_num = '{head}'")

    form = hidden_fields(client, "/admin/tags/new/")
    answer = client.post("/admin/tags/new/", data=form | {"name": "saved"})

    assert answer.status_code == 302
    assert count(db.session(), Tag) == 2


def test_a_table_that_is_not_there_yet_is_not_our_mistake(shop: Flask) -> None:
    client = enter(shop, Role.MANAGER)
    spoil(shop)
    with db.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE tags RENAME TO labels"))

    answer = client.get("/admin/tags/")

    assert answer.status_code == 503
    assert DIFFERS in answer.text


def test_a_list_takes_no_statement_more_for_it(
    shop: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    client = enter(shop, Role.MANAGER)
    taken: list[int] = []
    for statement in ("SELECT 1", AHEAD):
        spoil(shop, statement)
        with caplog.at_level("INFO", logger="backoffice.request"):
            client.get("/admin/tags/")
        taken.append(caplog.records[-1].facts["statements"])  # type: ignore[attr-defined]

    assert taken[0] == taken[1] <= 4


def test_a_database_that_is_silent_leaves_what_was_known(empty_app: Flask) -> None:
    watch = SchemaWatch(sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none"))

    assert watch.trouble() is None

    upgrade()
    known = SchemaWatch(db.engine)
    assert known.trouble() is None
    with db.engine.begin() as connection:
        connection.execute(sa.text(AHEAD))
    known.forget()
    assert known.trouble() is not None
    known._engine = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none")
    known.forget()
    assert known.trouble() is not None


def test_the_watch_does_not_make_a_file(tmp_path: Path) -> None:
    watch = SchemaWatch(sa.create_engine(f"sqlite:///{tmp_path}/missing.sqlite"))

    assert watch.trouble() is None
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_is_refused_with_the_reason(empty_app: Flask) -> None:
    reset = write_refusal.set("Not now.")
    try:
        with pytest.raises(UnavailableError, match="Not now"), transaction():
            raise AssertionError("not reached")
    finally:
        write_refusal.reset(reset)
