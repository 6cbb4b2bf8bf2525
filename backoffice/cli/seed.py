"""`flask seed-db` and `flask seed-fake`: made-up rows for development and tests."""

from __future__ import annotations

import time
from datetime import date, datetime

import click
from flask import current_app

from backoffice.cli.base import command, shell_actor
from backoffice.seeding.fake import seed_fake_users
from backoffice.seeding.guards import FLAG
from backoffice.seeding.plan import Plan, load_plan
from backoffice.seeding.shop import Outcome, seed_shop

PROFILE = "demo"


def _day(_context: click.Context, _option: click.Parameter, value: datetime | None) -> date | None:
    if value is not None and not 2000 <= value.year <= 2100:
        raise click.BadParameter("the year must be from 2000 to 2100.")
    return value and value.date()


seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    help="The same seed gives the same rows; by default the one of the profile.",
)
as_of_option = click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day on which the simulated shop stands still, as YYYY-MM-DD.",
)
existing_option = click.option(
    FLAG, "add_to_existing", is_flag=True, help="Allow rows that no seed run made; they stay."
)


@command("seed-db")
@seed_option
@as_of_option
@existing_option
def seed_db(seed: int | None, as_of: date | None, add_to_existing: bool) -> None:
    """Fill the database with reference data and a small demo shop.

    Nothing is ever deleted or changed; a second run finds everything in its place.
    """
    started = time.perf_counter()
    outcome = seed_shop(
        shell_actor(),
        _plan(seed, as_of),
        environment=current_app.config["APP_ENV"],
        add_to_existing=add_to_existing,
    )
    _print(outcome, time.perf_counter() - started)


@command("seed-fake")
@click.argument("count", type=click.IntRange(1, 100_000))
@seed_option
@as_of_option
@existing_option
def seed_fake(count: int, seed: int | None, as_of: date | None, add_to_existing: bool) -> None:
    """Add COUNT made-up customers with profiles (1 to 100000).

    Another run adds as many more; none of them can sign in.
    """
    started = time.perf_counter()
    created = seed_fake_users(
        shell_actor(),
        _plan(seed, as_of),
        count,
        environment=current_app.config["APP_ENV"],
        add_to_existing=add_to_existing,
    )
    _print(Outcome(created, {}), time.perf_counter() - started)


def _plan(seed: int | None, as_of: date | None) -> Plan:
    zone, currency = current_app.config["SHOP_TIMEZONE"], current_app.config["SHOP_CURRENCY"]
    return load_plan(PROFILE, zone=zone, currency=currency, seed=seed, as_of=as_of)


def _print(outcome: Outcome, seconds: float) -> None:
    for table in sorted(outcome.created | outcome.unchanged):
        created, unchanged = outcome.created.get(table, 0), outcome.unchanged.get(table, 0)
        click.echo(f"{table:<13} {created:>8,} created {unchanged:>8,} unchanged")
    click.echo(f"Done in {seconds:.1f} s.")
