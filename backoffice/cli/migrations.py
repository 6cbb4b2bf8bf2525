"""The migration page in a shell: `flask db-status`, `db-check`, `db-plan` and their kin."""

from __future__ import annotations

import json
from typing import Any

import click

from backoffice.cli.base import command
from backoffice.db import db, transaction
from backoffice.errors import InputError, UnavailableError
from backoffice.system.migrations import load_scripts
from backoffice.system.schema.as_json import as_json
from backoffice.system.schema.lint import Finding, lint, squawk
from backoffice.system.schema.plan import PlannedStep
from backoffice.system.schema.recorder import accept
from backoffice.system.schema.report import Code, SchemaReport, read_report


@command("db-status", needs_schema=False)
@click.option("--json", "json_", is_flag=True, help="Print JSON instead of lines.")
def db_status(json_: bool) -> None:
    """Show where the schema stands: state, history, drift, invalid indexes."""
    report = read_report(db.engine.engine)
    click.echo(json.dumps(as_json(report), indent=2) if json_ else "\n".join(_lines(report)))


@command("db-check", needs_schema=False)
def db_check() -> None:
    """Say by the exit code whether the schema is the one of this code.

    \b
     0  at head                        7  the file of an applied migration changed
     1  another error                  8  drift
     3  migrations wait                9  an invalid index or constraint
     4  the database is ahead         10  a migration is running
     5  the code has several heads    11  the database does not answer
     6  tables without a revision
    """
    context = click.get_current_context()
    try:
        report = read_report(db.engine.engine)
    except UnavailableError as error:
        click.echo(str(error), err=True)
        context.exit(Code.NO_DATABASE if "does not answer" in str(error) else Code.ERROR)
    for said in report.verdicts:
        click.echo(f"{said.word}: {said.sentence}")
    context.exit(report.code)


@command("db-plan", needs_schema=False)
@click.option("--sql", is_flag=True, help="Print the SQL alone, to be kept or reviewed.")
def db_plan(sql: bool) -> None:
    """Show what the next upgrade would do: SQL, locks, and the tables' sizes today."""
    report = read_report(db.engine.engine, steps=10_000)
    if report.status.unknown:
        raise InputError(report.status.sentence)
    if not report.plan and not sql:
        click.echo("Nothing waits.")
    for step in report.plan:
        click.echo("\n".join(_sql_lines(step) if sql else _plan_lines(step)))


@command("db-lint", needs_schema=False)
@click.option("--since", metavar="REVISION", help="Only what comes after this revision.")
@click.option("--waived", is_flag=True, help="Print what is waived, too, with the reasons.")
def db_lint(since: str | None, waived: bool) -> None:
    """Look for what is dangerous in the migrations; needs no database.

    A finding is mended, or waived in the file: # safe: <rule> – <reason>. The exit code is 1 when
    one is left.
    """
    scripts = load_scripts()
    known = [step.revision for step in scripts.walk_revisions()]
    if since and since not in known:
        raise InputError(f"There is no revision {since}.")
    looked_at = known[: known.index(since)] if since else known
    found = [one for name in reversed(looked_at) for one in lint(scripts.get_revision(name))]
    if squawk() is None:
        click.echo("squawk is not installed: only our own rules were checked.", err=True)
    for one in found:
        if waived or not one.waiver:
            click.echo(_finding_line(one))
    if any(not one.waiver for one in found):
        click.get_current_context().exit(1)


@command("db-accept", needs_schema=False)
@click.argument("revision")
@click.option("--reason", required=True, help="Why the file may be as it is now.")
def db_accept(revision: str, reason: str) -> None:
    """Accept that the file of an applied migration was changed."""
    scripts = load_scripts()
    report = read_report(db.engine.engine)
    if revision not in report.changed:
        raise InputError(
            f"The file of {revision} is not one that was changed after it was applied."
        )
    with transaction() as session:
        accept(session.connection(), scripts, revision, reason)
    click.echo(f"Accepted {revision} as it is now.")


def _lines(report: SchemaReport) -> list[str]:
    return [
        *(f"{said.outcome.value:<4}  {said.word}: {said.sentence}" for said in report.verdicts),
        *(f"warn  Could not be read: {what}. Try again." for what in report.unread),
        "",
        f"Database:                 {report.database}",
        f"Revision in the database: {', '.join(report.status.current) or 'none'}",
        f"Revision of this code:    {', '.join(report.status.heads) or 'none'}",
        *(f"Pending: {step.id}  {step.message}" for step in report.status.pending),
        *(
            f"{one.verdict.capitalize()}: {one.kind} {one.name} of {one.table}"
            for one in report.drift
        ),
        *(f"Invalid: {one.kind} {one.name} of {one.table}. {one.mend}" for one in report.leftovers),
        "",
        *(_entry_line(report, entry) for entry in report.entries[:10]),
    ]


def _entry_line(report: SchemaReport, entry: Any) -> str:
    when = f"{entry.finished_at:%Y-%m-%d %H:%M:%S} UTC" if entry.finished_at else "before recording"
    what = f"{entry.action.value:<9} {entry.revision}  {entry.message}"
    parts = [what, entry.who, entry.error or "", report.fate(entry)]
    return f"{when:<23} " + "  ".join(part for part in parts if part)


def _sql_lines(step: PlannedStep) -> list[str]:
    return [
        f"-- {step.revision.id}  {step.revision.message}",
        step.preview.sql or f"-- {step.preview.refusal}",
        "",
    ]


def _plan_lines(step: PlannedStep) -> list[str]:
    back = "can be undone" if step.is_reversible else "cannot be undone"
    return [
        f"{step.revision.id}  {step.revision.message} ({back})",
        *(f"  {one.outcome.value:<4}  {one.lock}: {one.sentence}" for one in step.impacts),
        *(f"  lint  {_finding_line(one)}" for one in step.findings),
        *(f"      {line}" for line in (step.preview.sql or step.preview.refusal).splitlines()),
        "",
    ]


def _finding_line(one: Finding) -> str:
    waived = f" Waived: {one.waiver}" if one.waiver else ""
    return f"{one.revision}: {one.rule}: {one.sentence}{waived}"
