"""`flask maintenance`: make the console read-only, or close it, for a while."""

from __future__ import annotations

from datetime import timedelta

import click

from backoffice.cli.base import command, shell_actor
from backoffice.db import db, utc_now
from backoffice.models import MaintenanceMode
from backoffice.services.maintenance import (
    begin_maintenance,
    current_maintenance,
    end_maintenance,
)

_EVERYWHERE = "Every process knows it within 5 seconds."


@click.group("maintenance")
def maintenance() -> None:
    """Make the console read-only, or close it, for a while."""


@command("on", needs_schema=False)
@click.option("--closed", is_flag=True, help="Nobody gets in; by default people can still read.")
@click.option("--message", required=True, help="What people are told.")
@click.option("--minutes", type=click.IntRange(1, 10_080), help="After which it ends by itself.")
def on(closed: bool, message: str, minutes: int | None) -> None:
    """Begin maintenance, or change what is going on.

    Requests that run are finished. Whoever may manage maintenance still gets in.
    """
    mode = MaintenanceMode.CLOSED if closed else MaintenanceMode.READ_ONLY
    ends_at = utc_now() + timedelta(minutes=minutes) if minutes else None
    begin_maintenance(shell_actor(), mode, message=message, ends_at=ends_at)
    click.echo(f"The console is {'closed' if closed else 'read-only'}. {_EVERYWHERE}")


@command("off", needs_schema=False)
def off() -> None:
    """End maintenance."""
    end_maintenance(shell_actor())
    click.echo(f"The console is open. {_EVERYWHERE}")


@command("show", needs_schema=False)
def show() -> None:
    """Say what is going on."""
    row = current_maintenance(db.session())
    if row is None:
        click.echo("The console is open.")
        return
    end = f"until {row.ends_at:%Y-%m-%d %H:%M} UTC" if row.ends_at else "until it is ended"
    click.echo(f"The console is {row}, {end}, by {row.actor_name}: {row.message}")


for one in (on, off, show):
    maintenance.add_command(one)
