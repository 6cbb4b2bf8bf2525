"""The console as a person meets it: a real server, a real browser, an eye on all that goes wrong.

The shop is shared by the tests of a run, so a test that changes a row makes that row itself.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from backoffice.access import Role, command_actor
from backoffice.app import create_app
from backoffice.db import db
from backoffice.seeding.plan import load_plan
from backoffice.seeding.shop import seed_shop
from config import TestingConfig
from tests.browser.watch import Watch
from tests.factories import PASSWORD, make_user

STAFF = [role for role in Role if role.is_staff]
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE = 30_000  # ms: the first chart waits until its library is bundled

Browse = Callable[..., Page]


@dataclass(frozen=True, slots=True)
class Shop:
    """A running console with a small demo shop; each role has an account named after it."""

    url: str
    app: Flask

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session, to make rows that a test may change."""
        with self.app.app_context():
            yield db.session()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The console on a scratch database."""
    path: Path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=f"sqlite:///{path}"))
    app.config["BACKUP_FOLDER"] = str(tmp_path_factory.mktemp("backups"))
    with app.app_context():
        upgrade()
        _fill()
    _back_up(app)
    logging.getLogger("werkzeug").setLevel("WARNING")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Shop(f"http://127.0.0.1:{server.server_port}", app)
    server.shutdown()
    thread.join()
    server.server_close()


def _fill() -> None:
    plan = load_plan("demo", zone="Europe/London", currency="GBP")
    small = dataclasses.replace(plan, months=14, products=80, customers=60, orders=240)
    seed_shop(command_actor("tester"), small, environment="testing")
    for role in STAFF:
        make_user(db.session(), role, username=role.value)


def _back_up(app: Flask) -> None:
    """Leave a verified backup, one that nobody has tried, and a damaged one."""
    runner = app.test_cli_runner()
    for command in (["create", "--label", "damaged"], ["create"], ["verify"], ["create"]):
        assert runner.invoke(args=["backup", *command]).exit_code == 0
    (damaged,) = Path(app.config["BACKUP_FOLDER"]).glob("*-damaged")
    (damaged / "manifest.json").write_text("{}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing. On Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture
def watch() -> Watch:
    """What went wrong on the pages of this test; `expect` names the refusals it is about."""
    return Watch()


@pytest.fixture
def browse(browser: Browser, shop: Shop, watch: Watch) -> Iterator[Browse]:
    """Return a function that opens a browser of its own, signed in when a role is given."""
    contexts: list[BrowserContext] = []

    def open_page(role: Role | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=shop.url, **options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        watch.follow(context)
        page = context.new_page()
        if role:
            sign_in(page, role)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.wait_for_timeout(0)  # lets the last events arrive
        context.close()
    assert watch.faults == []


def sign_in(page: Page, role: Role) -> None:
    """Sign in by the form, as a person does."""
    page.goto("/login")
    page.get_by_label("User name").fill(role.value)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")
