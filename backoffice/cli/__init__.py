"""The commands under `flask`: an explicit list."""

from __future__ import annotations

import click
from flask import Flask

from backoffice.cli import (
    backup,
    develop,
    imports,
    maintenance,
    migrations,
    orders,
    reports,
    seed,
    status,
    stock,
    users,
)

COMMANDS: tuple[click.Command, ...] = (
    backup.backup,
    develop.develop,
    imports.import_orders,
    maintenance.maintenance,
    migrations.db_accept,
    migrations.db_check,
    migrations.db_lint,
    migrations.db_plan,
    migrations.db_status,
    orders.orders,
    reports.run_report,
    seed.seed_db,
    seed.seed_fake,
    stock.stock,
    users.create_user,
    users.set_password,
    users.dev_login,
    status.status,
)


def init_app(app: Flask) -> None:
    """Attach every command to the app."""
    for command in COMMANDS:
        app.cli.add_command(command)
