"""`flask backup`: make, list, prove, restore and thin out backups."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from sqlalchemy.engine import URL

from backoffice.cli.base import command
from backoffice.db import db, utc_now
from backoffice.errors import InputError
from backoffice.system.backups.folder import LATEST, Backup, list_backups
from backoffice.system.backups.manifest import age_in_hours
from backoffice.system.backups.retention import Retention, reasons_to_keep
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.work import (
    create_backup,
    current_heads,
    prune_backups,
    replace_database,
    restore_backup,
    verify_backup,
)

_KEEP = Retention()
_LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@click.group("backup")
def backup() -> None:
    """Back up the database, prove backups, and restore them."""


def _settings() -> BackupSettings:
    return BackupSettings.from_config(current_app.config)


def _url() -> URL:
    url: URL = db.engine.engine.url  # of a connection, too
    return url


def _label(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value and (len(value) > 40 or not _LABEL.fullmatch(value)):
        raise click.BadParameter("use at most 40 small letters, digits and single hyphens.")
    return value


@command("create", needs_schema=False)
@click.option("--label", default="", callback=_label, help="A word to know it by.")
def create(label: str) -> None:
    """Make a backup of the database in BACKUP_FOLDER."""
    made = create_backup(_url(), _settings(), label=label)
    manifest = made.require_manifest()
    contents = manifest.dump.contents
    click.echo(
        f"{made.name}: {contents.rows:,} rows of {len(contents.tables)} tables in "
        f"{_size(manifest.bytes)}, made in {manifest.seconds:.1f} s, "
        f"encrypted: {manifest.encryption.value}."
    )


@command("list", needs_schema=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def list_command(as_json: bool) -> None:
    """List the backups, newest first."""
    found = list_backups(_settings().require_folder())
    kept = reasons_to_keep([one for one in found if one.manifest], _KEEP)
    facts = [_facts(one, kept.get(one.name, [])) for one in found]
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    elif not facts:
        click.echo("There is no backup yet. Make one: flask backup create")
    else:
        click.echo("\n".join(_line(one) for one in facts))


@command("verify", needs_schema=False)
@click.argument("name", default=LATEST)
@click.option("--quick", is_flag=True, help="Only read it; do not restore it.")
def verify(name: str, quick: bool) -> None:
    """Prove that a backup can be restored: NAME, or the latest.

    It is restored into a database of its own, compared with what was backed up, migrated if it is
    of an older schema, and dropped.
    """
    found = verify_backup(_url(), _settings(), name, quick=quick)
    if quick:
        click.echo("The backup is whole. Whether it can be restored was not tried.")
    else:
        click.echo(
            f"The backup was restored in {found.restore_seconds:.1f} s; "
            "every table is as it was backed up."
        )
        if found.was_upgraded:
            click.echo("Its schema is older; the migrations of this code went through.")


@command("restore", needs_schema=False)
@click.argument("name")
@click.option("--into", default="", help="The new database, or for SQLite the new file.")
@click.option("--replace", is_flag=True, help="Replace the configured database; it is kept.")
@click.option("--confirm", default="", help="The name of the database to replace, in production.")
@click.option("--no-grants", is_flag=True, help="Leave out the rights of other roles.")
def restore(name: str, into: str, replace: bool, confirm: str, no_grants: bool) -> None:
    """Restore the backup NAME (or "latest") into a new database.

    The configured database stays as it is, unless --replace says otherwise.
    """
    if replace and into:
        raise InputError("--replace and --into exclude each other.")
    if replace:
        done = replace_database(
            _url(), _settings(), name, confirmed=confirm, with_grants=not no_grants
        )
        click.echo(
            f"{done.name} is restored, in {done.seconds:.1f} s. The former is {done.former}."
        )
        click.echo("Now: flask db upgrade && flask status, then start the application.")
        return
    done = restore_backup(_url(), _settings(), name, into=into, with_grants=not no_grants)
    click.echo(f"{done.name} is restored, in {done.seconds:.1f} s; every table is as it was.")
    click.echo(
        "To use it: set DATABASE_URL to it, run flask db upgrade, and start the application."
    )


def _keep(word: str, default: int) -> Callable[[Any], Any]:
    return click.option(
        f"--keep-{word}", type=click.IntRange(0, 1000), default=default, show_default=True
    )


@command("prune", needs_schema=False)
@_keep("daily", _KEEP.daily)
@_keep("weekly", _KEEP.weekly)
@_keep("monthly", _KEEP.monthly)
@click.option(
    "--min", "least", type=click.IntRange(1, 1000), default=_KEEP.least, show_default=True
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are only named.")
def prune(keep_daily: int, keep_weekly: int, keep_monthly: int, least: int, yes: bool) -> None:
    """Remove backups that no rule keeps; the newest and the last verified always stay."""
    retention = Retention(keep_daily, keep_weekly, keep_monthly, least)
    kept, doomed = prune_backups(_settings(), retention, really=yes)
    for name, why in kept.items():
        click.echo(f"{name}  kept: {', '.join(why)}")
    for one in doomed:
        click.echo(f"{one.name}  {'removed' if yes else 'would be removed'}")
    if doomed and not yes:
        click.echo("Nothing was removed. To remove them: --yes")


def _facts(one: Backup, kept: list[str]) -> dict[str, Any]:
    """Return what `list --json` says of a backup."""
    if one.manifest is None:
        return {"name": one.name, "problem": one.problem}
    manifest, proof = one.manifest, one.verification
    contents = manifest.dump.contents
    return {
        "name": one.name,
        "age_hours": round(age_in_hours(one.taken_at, utc_now()), 1),
        "bytes": manifest.bytes,
        "rows": contents.rows,
        "seconds": round(manifest.seconds, 1),
        "encryption": manifest.encryption.value,
        "revisions": contents.revisions,
        "is_at_head": contents.revisions == current_heads(),
        "verified_at": proof and proof.at.isoformat(timespec="seconds"),
        "restore_seconds": proof and proof.restore_seconds,
        "problem": (proof and proof.problem) or "",
        "kept": kept,
    }


def _line(facts: dict[str, Any]) -> str:
    if "bytes" not in facts:
        return f"{facts['name']}  DAMAGED: {facts['problem']}"
    proof = "not verified"
    if facts["problem"]:
        proof = f"DAMAGED: {facts['problem']}"
    elif facts["verified_at"]:
        proof = (
            f"verified {facts['verified_at'][:10]}, restored in {facts['restore_seconds']:.1f} s"
        )
    schema = "" if facts["is_at_head"] else "  schema of another version"
    return (
        f"{facts['name']}  {facts['age_hours']:>7,.1f} h old  {_size(facts['bytes']):>9}  "
        f"{facts['rows']:>11,} rows  {proof}{schema}"
    )


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MB"


for _command in (create, list_command, verify, restore, prune):
    backup.add_command(_command)
