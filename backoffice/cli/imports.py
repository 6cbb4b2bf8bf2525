"""`flask import-orders`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import current_app

from backoffice.access import Source
from backoffice.cli.base import command, shell_actor
from backoffice.errors import InputError
from backoffice.formats.csv_files import delimiter_named
from backoffice.formats.mappings import find_mapping
from backoffice.services import imports
from backoffice.services.imports import ImportRules, ImportSummary, Progress

MAPPINGS = Path(__file__).resolve().parents[2] / "seeds" / "mappings"


@command("import-orders")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    default="online_retail",
    show_default=True,
    metavar="NAME|PATH",
    help="The layout of the file: a name in seeds/mappings, or a TOML file.",
)
@click.option("--date-format", metavar="F", help="Such as '%d.%m.%Y %H:%M'; overrides the mapping.")
@click.option("--decimal-comma", is_flag=True, help="Numbers are written as 2,55.")
@click.option("--encoding", metavar="E", help="Such as utf-8, latin-1 or utf-16; else detected.")
@click.option("--delimiter", metavar="D", help="comma, semicolon, tab or a character.")
@click.option("--registered-only", is_flag=True, help="Reject lines that name no customer.")
@click.option("--dry-run", is_flag=True, help="Do all of it, report, and change nothing.")
def import_orders(
    file: Path,
    mapping: str,
    date_format: str | None,
    decimal_comma: bool,
    encoding: str | None,
    delimiter: str | None,
    registered_only: bool,
    dry_run: bool,
) -> None:
    """Import sales history from a CSV file of line items, plain or gzipped.

    Lines that cannot be used are written to FILE.rejected.csv, also in a dry run.
    The same file again changes nothing.
    """
    rules = ImportRules(
        mapping=find_mapping(mapping, MAPPINGS).overridden(
            date_format=date_format, decimal_comma=decimal_comma
        ),
        zone=ZoneInfo(current_app.config["SHOP_TIMEZONE"]),
        currency=current_app.config["SHOP_CURRENCY"],
        encoding=encoding,
        delimiter=delimiter_named(delimiter) if delimiter else None,
        registered_only=registered_only,
    )
    with _progress_bar(file) as progress:
        summary = imports.import_orders(
            shell_actor(Source.IMPORT), file, rules, dry_run=dry_run, progress=progress
        )
    _print(summary, dry_run=dry_run)
    if not summary.accepted and not summary.credited and not summary.unchanged:
        raise InputError(
            f"No line could be imported: all {summary.lines:,} were rejected. "
            f"The reasons are in {summary.rejected_file}."
        )


@contextmanager
def _progress_bar(file: Path) -> Iterator[Progress | None]:
    """Show on a terminal how much of the file has been read; say nothing anywhere else."""
    if not sys.stderr.isatty() or not file.is_file():
        yield None
        return
    size = file.stat().st_size
    with click.progressbar(length=size, label="Reading", file=sys.stderr) as bar:

        def show(position: int) -> None:
            if position >= size:
                bar.label = "Writing"
            bar.update(position - bar.pos)

        yield show


def _print(summary: ImportSummary, *, dry_run: bool) -> None:
    rows = [
        ("Lines", summary.lines),
        ("  accepted", summary.accepted),
        ("  credited", summary.credited),
        ("  unchanged", summary.unchanged),
        ("  rejected", summary.rejected_lines),
        *((f"    {reason}", count) for reason, count in summary.rejected.items()),
        ("Orders created", summary.orders),
        ("Orders unchanged", summary.orders_unchanged),
        ("Credit notes created", summary.credit_notes),
        ("Credit notes unchanged", summary.credit_notes_unchanged),
        ("Customers created", summary.customers),
        ("Products created", summary.products),
        ("Categories created", summary.categories),
    ]
    width = max(len(label) for label, _ in rows)
    digits = max(len(f"{count:,}") for _, count in rows)
    click.echo(f"{summary.file} ({summary.encoding})")
    for label, count in rows:
        click.echo(f"{label:<{width}}  {count:>{digits},}")
    if summary.rejected_file:
        click.echo(f"Rejected lines are in {summary.rejected_file}.")
    if dry_run:
        click.echo("This was a dry run: the database is unchanged.")
