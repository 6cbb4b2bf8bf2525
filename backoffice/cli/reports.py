"""Reports at the command line: the options of `run-report` are the parameters of the report."""

from __future__ import annotations

from collections.abc import Callable

import click
from flask import current_app

from backoffice.cli.base import Command, command, shell_actor
from backoffice.db import db
from backoffice.errors import NotFoundError
from backoffice.reports.catalog import catalog, find_report
from backoffice.reports.output import as_csv, as_json, as_table, cut_notice
from backoffice.reports.parameters import ParameterError, ShopContext, Value, read_parameters
from backoffice.reports.result import ReportResult
from backoffice.reports.runner import runner_of
from backoffice.reports.spec import Param, Report

_FORMATS: dict[str, Callable[[ReportResult], str]] = {
    "table": as_table,
    "csv": as_csv,
    "json": as_json,
}


class _ReportCommand(Command):
    """A command that takes the parameters of the report it is given as options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the report first: only then is it known which options there are."""
        slug = next((arg for arg in args if arg in catalog()), None)
        ctx.meta["report"] = slug and catalog()[slug]
        if slug is None and (unknown := next((arg for arg in args if arg[:1] != "-"), None)):
            raise click.UsageError(_sentence_of_unknown(unknown), ctx)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Add the report's own options."""
        report: Report | None = ctx.meta.get("report")
        own = [_option(*item) for item in report.params.items()] if report else []
        return [*own, *super().get_params(ctx)]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the reports, so that nobody has to guess."""
        with formatter.section("Reports"):
            formatter.write_dl([(slug, report.title) for slug, report in catalog().items()])


def _sentence_of_unknown(slug: str) -> str:
    try:
        find_report(slug)
    except NotFoundError as error:
        return str(error)
    return ""


def _option(name: str, param: Param) -> click.Option:
    choices = f" One of {', '.join(param.choices)}." if param.choices else ""
    text = f"{param.label}. {param.help}".strip()
    return click.Option(
        [f"--{name.replace('_', '-')}", f"param_{name}"],
        help=f"{text}{choices} Default: {param.default}.",
    )


@command("run-report")
@click.argument("slug", metavar="SLUG")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_FORMATS)),
    default="table",
    help="How to write the result. Default: table.",
)
def _run_report(slug: str, form: str, **given: str | None) -> None:
    """Run a report; `flask run-report SLUG --help` shows its parameters."""
    report = find_report(slug)
    values = _read(report, {name.removeprefix("param_"): text for name, text in given.items()})
    runner = runner_of(
        current_app.extensions,
        current_app.config["REPORTS_DATABASE_URL"] or db.engine.url,
        current_app.config["REPORT_CONCURRENCY"],
    )
    result = runner.run(shell_actor(), report, values)
    click.echo(_FORMATS[form](result).removesuffix("\n"))
    if result.is_cut:
        click.echo(cut_notice(result), err=True)


run_report = _ReportCommand(
    _run_report.name,
    callback=_run_report.callback,
    params=_run_report.params,
    help=_run_report.help,
)


def _read(report: Report, given: dict[str, str | None]) -> dict[str, Value]:
    config = current_app.config
    shop = ShopContext.now(config["SHOP_TIMEZONE"], config["SHOP_CURRENCY"])
    try:
        return read_parameters(report, {k: v for k, v in given.items() if v is not None}, shop)
    except ParameterError as error:
        name, sentence = next(iter(error.by_name.items()))
        raise click.BadParameter(sentence, param_hint=f"--{name.replace('_', '-')}") from error
