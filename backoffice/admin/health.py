"""Whether the installation is well, for operators."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.system.inspection.report import Inspection
from backoffice.system.kept import Kept


class HealthPage(Page):
    """What was found at most a few seconds ago: verdict, advice, and the facts by group."""

    read = Permission.HEALTH_READ

    @expose("/")
    def index(self) -> Any:
        """Show the inspection; changes nothing."""
        kept: Kept[Inspection] = current_app.extensions["inspection"]
        return self.render("admin/health/index.html", inspection=kept.get())
