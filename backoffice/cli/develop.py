"""`flask develop`: from an empty checkout to the console in the browser."""

from __future__ import annotations

import socket
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask_migrate import upgrade
from werkzeug.serving import BaseWSGIServer, make_server

from backoffice.cli import seed
from backoffice.cli.base import command, shell_actor
from backoffice.cli.users import DEVELOPER, development_account, kept_password
from backoffice.db import db
from backoffice.errors import BackofficeError, RuleViolationError, UnavailableError
from backoffice.models import Order, Product
from backoffice.seeding.plan import load_plan
from backoffice.seeding.shop import seed_shop

HOST = "127.0.0.1"


@command("develop", needs_schema=False)
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def develop(port: int) -> None:
    """Migrate, seed a database that is empty, make a login, and serve (development only)."""
    environment = current_app.config["APP_ENV"]
    if environment != "development":
        raise RuleViolationError(
            f"develop is for APP_ENV=development only, and this is {environment}. "
            "docs/deploy.md says how to serve it."
        )
    _require_free(port)
    upgrade()
    if _is_empty():
        _seed()
    server = make_server(HOST, port, _app(), threaded=True)
    _tell(port)
    _app().extensions["become_worker"](0)
    _serve(server)


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return app


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UnavailableError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}). Stop what uses it, "
                f"or choose another: make run PORT={port + 1 if port < 65535 else 5000}"
            ) from error


def _is_empty() -> bool:
    filled = sa.or_(sa.select(Order.id).exists(), sa.select(Product.id).exists())
    return not db.session.scalar(sa.select(filled))


def _seed() -> None:
    """Add the demo shop, standing at today, so that the first page has something to show."""
    click.echo("The database is empty: adding a demo shop ...")
    started = time.perf_counter()
    zone, currency = current_app.config["SHOP_TIMEZONE"], current_app.config["SHOP_CURRENCY"]
    today = datetime.now(ZoneInfo(zone)).date()
    plan = load_plan(seed.PROFILE, zone=zone, currency=currency, seed=None, as_of=today)
    outcome = seed_shop(
        shell_actor(), plan, environment=current_app.config["APP_ENV"], add_to_existing=False
    )
    rows = sum(outcome.created.values())
    click.echo(f"{rows:,} rows in {time.perf_counter() - started:.1f} s.")


def _tell(port: int) -> None:
    """Say where the console is and how to get in."""
    database = db.engine.url.render_as_string(hide_password=True)
    click.echo(f"\n  Console   http://{HOST}:{port}\n  Database  {database}")
    try:
        click.echo(f"  Sign in   {DEVELOPER} / {development_account(kept_password())}")
    except BackofficeError as error:
        click.echo(f"  Sign in   {error}")
    click.echo("\nCtrl-C stops it. Another run keeps everything.")


def _serve(server: BaseWSGIServer) -> None:
    db.session.remove()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        server.server_close()
