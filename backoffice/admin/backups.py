"""What is known of the backups, for operators; they are made and restored from the shell."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page
from backoffice.db import utc_now
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.backups.summary import judge_backups, summarise
from backoffice.system.backups.work import current_heads

SHOWN = 100


class BackupsPage(Page):
    """What `flask backup list` prints, as a page."""

    read = Permission.BACKUP_READ

    @expose("/")
    def index(self) -> Any:
        """Look into the folder now; changes nothing."""
        settings = BackupSettings.from_config(current_app.config)
        summary = summarise(settings)
        return self.render(
            "admin/backups/index.html",
            summary=summary,
            shown=summary.backups[:SHOWN],
            verdict=judge_backups(settings, summary, utc_now()),
            heads=current_heads(),
        )
