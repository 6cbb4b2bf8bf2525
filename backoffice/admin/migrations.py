"""Where the schema stands, for operators; migrations are run from the shell only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flask import Response, current_app, jsonify
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.db import db
from backoffice.system.kept import Kept
from backoffice.system.migrations import UPGRADE, SchemaState
from backoffice.system.schema.as_json import as_json
from backoffice.system.schema.report import SchemaReport, read_report

KEPT_SECONDS = 10
COMMANDS = {
    SchemaState.PENDING: UPGRADE,
    SchemaState.EMPTY: UPGRADE,
    SchemaState.NOT_STAMPED: "flask db stamp <revision>",
    SchemaState.SEVERAL_HEADS: "flask db merge heads",
}


class MigrationsPage(Page):
    """What the schema is, was and would become; reads only."""

    read = Permission.MIGRATION_READ
    kept: Kept[SchemaReport] | None = None

    @expose("/")
    def index(self) -> Any:
        """Show what was found out at most ten seconds ago."""
        report = self._report()
        return self.render(
            "admin/migrations/index.html",
            schema=report,
            command=COMMANDS.get(report.status.state),
        )

    @expose("/index.json")
    def as_json(self) -> Any:
        """Return the same for machines."""
        return jsonify(as_json(self._report()))

    @expose("/pending.sql")
    def pending_sql(self) -> Any:
        """Return what the next upgrade would send, to be reviewed."""
        report = self._report()
        text = "\n\n".join(
            f"-- {step.revision.id}  {step.revision.message}\n"
            + (step.preview.sql or f"-- {step.preview.refusal}")
            for step in report.plan
        )
        answer = Response(f"{text}\n", mimetype="text/plain")
        answer.headers["Content-Disposition"] = 'attachment; filename="pending.sql"'
        return answer

    def _report(self) -> SchemaReport:
        if self.kept is None:
            folder = Path(current_app.extensions["migrate"].directory)
            self.kept = Kept(partial(read_report, db.engine.engine, folder), KEPT_SECONDS)
        return self.kept.get()
