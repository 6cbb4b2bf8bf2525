"""Reports in the browser: a form from the header, the parameters in the URL, table and chart."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from flask import Response, current_app, request
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page, current_actor
from backoffice.db import db
from backoffice.errors import BackofficeError, NotFoundError
from backoffice.reports.catalog import catalog
from backoffice.reports.chart import chart_spec
from backoffice.reports.output import as_csv, as_json, cut_notice, shown
from backoffice.reports.parameters import ParameterError, ShopContext, fill_in, read_parameters
from backoffice.reports.result import ReportResult
from backoffice.reports.runner import runner_of
from backoffice.reports.spec import Report

_BUNDLE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"
_BUNDLE_SECONDS = 60


class ReportsPage(Page):
    """The reports that the person may read, and each of them with its parameters in the URL."""

    read = Permission.REPORT_READ

    @expose("/")
    def index(self) -> Any:
        """List the reports by group."""
        groups: dict[str, list[Report]] = {}
        for report in catalog().values():
            if report.is_for(current_actor()):
                groups.setdefault(report.group, []).append(report)
        return self.render("admin/reports/index.html", groups=groups)

    @expose("/<slug>")
    def report(self, slug: str) -> Any:
        """Show a report; what cannot be used is said beside its field, and nothing is run."""
        report = _find(slug)
        result, mistakes, failure = None, {}, None
        try:
            result = _run(report)
        except ParameterError as error:
            mistakes = error.by_name
        except BackofficeError as error:
            failure = error
        page = self.render(
            "admin/reports/report.html",
            report=report,
            texts=fill_in(report, request.args, _shop()),
            mistakes=mistakes,
            failure=failure,
            result=result,
            notice=cut_notice(result) if result else "",
            chart=chart_spec(result) if result else None,
            shown=shown,
            opened={
                c.record for c in report.columns.values() if c.record and self.may_open(c.record)
            },
            library_version=version("vl-convert-python"),
        )
        return page, (400 if mistakes else failure.status_code if failure else 200)

    @expose("/<slug>.csv")
    def csv(self, slug: str) -> Response:
        """Send the rows as a file; its name says when they were cut."""
        report = _find(slug)

        def send(result: ReportResult) -> Response:
            cut = f"-cut-at-{report.limits.rows}-rows" if result.is_cut else ""
            name = f"attachment; filename={report.slug}{cut}.csv"
            return Response(
                as_csv(result), mimetype="text/csv", headers={"Content-Disposition": name}
            )

        return _answer(report, send)

    @expose("/<slug>.json")
    def json(self, slug: str) -> Response:
        """Send rows, totals and parameters."""
        return _answer(
            _find(slug), lambda result: Response(as_json(result), mimetype="application/json")
        )

    @expose("/vega.js")
    def vega(self) -> Response:
        """Send the chart library; its URL carries the version, so that it is kept for good."""
        packed = _chart_library()
        response = Response(packed, mimetype="text/javascript")
        if request.accept_encodings.quality("gzip"):
            response.headers["Content-Encoding"] = "gzip"
        else:
            response.data = gzip.decompress(packed)
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        return response


def _find(slug: str) -> Report:
    report = catalog().get(slug)
    if report is None or not report.is_for(current_actor()):
        raise NotFoundError("There is no such report.")
    return report


def _shop() -> ShopContext:
    config = current_app.config
    return ShopContext.now(config["SHOP_TIMEZONE"], config["SHOP_CURRENCY"])


def _run(report: Report) -> ReportResult:
    values = read_parameters(report, request.args, _shop())
    runner = runner_of(
        current_app.extensions,
        current_app.config["REPORTS_DATABASE_URL"] or db.engine.url,
        current_app.config["REPORT_CONCURRENCY"],
    )
    return runner.run(current_actor(), report, values)


def _answer(report: Report, send: Callable[[ReportResult], Response]) -> Response:
    """Run and send; a failure is a line of text, because a program reads this."""
    try:
        return send(_run(report))
    except BackofficeError as error:
        return Response(f"{error}\n", status=error.status_code, mimetype="text/plain")


@lru_cache(maxsize=1)
def _chart_library() -> bytes:
    """Return vega-embed as vl-convert carries it, compressed.

    Made in a process of its own: the engine that bundles it would stay in this one's memory.
    """
    made = subprocess.run(
        [sys.executable, "-c", _BUNDLE], capture_output=True, check=True, timeout=_BUNDLE_SECONDS
    )
    return gzip.compress(made.stdout, mtime=0)
