"""Whether the installation is well, for operators."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_admin import expose
from sqlalchemy.exc import DBAPIError

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.admin.health_history import Chart, draw_history
from backoffice.db import db
from backoffice.services.health_samples import read_samples
from backoffice.system.inspection.report import Inspection
from backoffice.system.kept import Kept


class HealthPage(Page):
    """What was found at most a few seconds ago: verdict, advice, and the facts by group."""

    read = Permission.HEALTH_READ

    @expose("/")
    def index(self) -> Any:
        """Show the inspection; changes nothing."""
        kept: Kept[Inspection] = current_app.extensions["inspection"]
        return self.render("admin/health/index.html", inspection=kept.get(), charts=_history())


def _history() -> list[Chart]:
    """Return the charts; without its table, or without a database, this page is needed most."""
    try:
        return draw_history(read_samples(db.session()))
    except DBAPIError:
        db.session.rollback()
        return []
