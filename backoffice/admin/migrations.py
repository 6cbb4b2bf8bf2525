"""Where the schema stands, for operators; migrations are run from the shell only."""

from __future__ import annotations

from typing import Any

from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.db import db
from backoffice.system.health import schema_status


class MigrationsPage(Page):
    """The revision in the database, the one of the code, and what lies between them."""

    read = Permission.MIGRATION_READ

    @expose("/")
    def index(self) -> Any:
        """Compare now; changes nothing."""
        return self.render("admin/migrations/index.html", schema=schema_status(db.engine.engine))
