"""Where the data breaks a rule, for managers and operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app, url_for
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.db import db, utc_now
from backoffice.reports.quality.catalog import CHECKS, find_check
from backoffice.reports.quality.check import (
    ALONE_SECONDS,
    Broken,
    Check,
    Finding,
    Verdict,
    examine,
    examine_all,
)
from backoffice.reports.runner import ReportRunner, runner_of

SHOWN = 100
# Checks whose rows a list can show: all of them, with its own columns, export and bulk actions.
LISTS: Mapping[str, dict[str, Any]] = {
    "products-have-a-price": {"price": "0", "is_available": "yes"},
    "products-have-a-cost": {"unit_cost.empty": "yes", "is_available": "yes"},
}
_ORDER = (Verdict.FAIL, Verdict.STOPPED, Verdict.PASS)


class QualityPage(Page):
    """The rules and whether they hold; looking changes nothing."""

    read = Permission.QUALITY_READ

    @expose("/")
    def index(self) -> Any:
        """Run all checks now, each for a short time; what is broken comes first."""
        findings = examine_all(_runner(), CHECKS)
        return self.render(
            "admin/quality/index.html",
            findings=sorted(findings, key=lambda found: _ORDER.index(found.verdict)),
            broken=sum(found.verdict is Verdict.FAIL for found in findings),
            unknown=sum(found.verdict is Verdict.STOPPED for found in findings),
            checked_at=utc_now(),
            rows_url=self.rows_url,
        )

    @expose("/<slug>")
    def check(self, slug: str) -> Any:
        """Run one check, for a longer time, and show the first rows that it found."""
        finding = examine(_runner(), find_check(slug), ALONE_SECONDS)
        return self.render(
            "admin/quality/check.html",
            finding=finding,
            rows=finding.rows[:SHOWN],
            list_url=self._list_url(finding.check),
            record_url=self._record_url,
        )

    def rows_url(self, finding: Finding) -> str:
        """Return where the rows of a finding are: in their list, where that can show them."""
        return self._list_url(finding.check) or url_for(".check", slug=finding.check.slug)

    def _list_url(self, check: Check) -> str | None:
        if check.slug not in LISTS or not self.may_open(check.table):
            return None
        return url_for(f"{check.table}.index_view", **LISTS[check.slug])

    def _record_url(self, finding: Finding, row: Broken) -> str | None:
        """Return the address of a row's record, None for somebody who may not see it."""
        table = finding.check.table
        if not self.may_open(table):
            return None
        return url_for(f"{table}.details_view", id=row.id)


def _runner() -> ReportRunner:
    return runner_of(
        current_app.extensions,
        current_app.config["REPORTS_DATABASE_URL"] or db.engine.url,
        current_app.config["REPORT_CONCURRENCY"],
    )
