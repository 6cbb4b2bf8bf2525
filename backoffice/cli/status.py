"""`flask status`: the facts of the health and migration pages, for the shell and for scripts."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask import current_app
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from backoffice.cli.base import command
from backoffice.db import db
from backoffice.errors import BackofficeError
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.examination import Health, Outcome, Result, examine
from backoffice.system.health import CHECKS, schema_status
from backoffice.system.migrations import SchemaStatus


@command("status", needs_schema=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def status(as_json: bool) -> None:
    """Show whether database, schema and process are well.

    The exit code is 0 when nothing has failed (warnings included), 1 when something has.
    """
    engine = db.engine.engine
    health = examine(
        engine,
        CHECKS,
        redis_url=current_app.config["REDIS_URL"],
        reports_url=current_app.config["REPORTS_DATABASE_URL"],
        backups=BackupSettings.from_config(current_app.config),
    )
    is_down = health.results["database"].outcome is Outcome.FAIL
    schema = None if is_down else _read_schema(engine)
    click.echo(_as_json(health, schema) if as_json else _as_lines(health, schema))
    if health.outcome is Outcome.FAIL:
        click.get_current_context().exit(1)


def _read_schema(engine: Engine) -> SchemaStatus | None:
    try:
        return schema_status(engine)
    except (BackofficeError, DBAPIError):
        return None  # the checks have said why


def _as_json(health: Health, schema: SchemaStatus | None) -> str:
    return json.dumps(
        {
            "status": health.outcome,
            "checked_at": health.checked_at.isoformat(timespec="seconds"),
            "checks": {name: asdict(result) for name, result in health.results.items()},
            "schema": schema
            and {
                "state": schema.state,
                "current": schema.current,
                "heads": schema.heads,
                "pending": [step.id for step in schema.pending],
            },
        },
        indent=2,
    )


def _as_lines(health: Health, schema: SchemaStatus | None) -> str:
    rows = [
        (result.outcome.value, name.replace("_", " "), _observed(result), result.sentence)
        for name, result in health.results.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join([*lines, "", *_schema_lines(schema), _summary(health)])


def _schema_lines(schema: SchemaStatus | None) -> list[str]:
    if schema is None:
        return []
    revisions = [
        f"Revision in the database: {', '.join(schema.current) or 'none'}",
        f"Revision of this code:    {', '.join(schema.heads) or 'none'}",
    ]
    return [*revisions, *(f"Pending: {step.id}  {step.message}" for step in schema.pending), ""]


def _observed(result: Result) -> str:
    return "" if result.value is None else f"{result.value} {result.unit}".rstrip()


def _summary(health: Health) -> str:
    return {
        Outcome.PASS: "All is well.",
        Outcome.WARN: "It works, with warnings.",
        Outcome.FAIL: "Something has failed; see above.",
    }[health.outcome]
