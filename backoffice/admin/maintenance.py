"""Beginning and ending maintenance in the browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import Page, current_actor
from backoffice.db import db, utc_now
from backoffice.errors import InputError
from backoffice.models import MaintenanceMode
from backoffice.services.maintenance import (
    begin_maintenance,
    current_maintenance,
    end_maintenance,
)

LONGEST_MINUTES = 10_080


class MaintenancePage(Page):
    """What `flask maintenance` does, as a page."""

    read = Permission.MAINTENANCE_MANAGE

    @expose("/")
    def index(self) -> Any:
        """Show what is going on, and the form."""
        return self.render("admin/maintenance/index.html", going=current_maintenance(db.session()))

    @expose("/begin", methods=["POST"])
    def begin(self) -> Any:
        """Begin maintenance as the form says."""
        try:
            mode = MaintenanceMode(request.form.get("mode", ""))
        except ValueError:
            raise InputError("Choose whether people can still read.") from None
        minutes = _minutes(request.form.get("minutes", "").strip())
        ends_at = utc_now() + timedelta(minutes=minutes) if minutes else None
        message = request.form.get("message", "")
        begin_maintenance(current_actor(), mode, message=message, ends_at=ends_at)
        return self._done("Maintenance has begun. Every process knows it within 5 seconds.")

    @expose("/end", methods=["POST"])
    def end(self) -> Any:
        """End it."""
        end_maintenance(current_actor())
        return self._done("Maintenance has ended. Every process knows it within 5 seconds.")

    def _done(self, sentence: str) -> Any:
        current_app.extensions["schema_watch"].forget()
        flash(sentence, "success")
        return redirect(url_for(".index"))


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LONGEST_MINUTES):
        raise InputError(f"Write how many minutes it takes, 1 to {LONGEST_MINUTES}, or nothing.")
    return int(text)
