"""Whether the installation is well, for operators."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.db import db
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.examination import examine
from backoffice.system.health import CHECKS


class HealthPage(Page):
    """What `flask status` prints, as a page."""

    read = Permission.HEALTH_READ

    @expose("/")
    def index(self) -> Any:
        """Run the checks now and show what they found."""
        health = examine(
            db.engine.engine,
            CHECKS,
            redis_url=current_app.config["REDIS_URL"],
            reports_url=current_app.config["REPORTS_DATABASE_URL"],
            backups=BackupSettings.from_config(current_app.config),
        )
        return self.render("admin/health/index.html", health=health)
