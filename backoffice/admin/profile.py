"""A person's own page: how the console looks to them, and where they are signed in."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_admin import expose
from flask_login import current_user

from backoffice.admin.devices import device
from backoffice.admin.guards import Page, current_actor
from backoffice.admin.viewer import DENSITIES, SHORTCUTS, THEMES, choices, time_zones
from backoffice.db import db
from backoffice.errors import InputError, NotFoundError
from backoffice.services.login_sessions import end_session, open_sessions
from backoffice.services.preferences import set_preferences


class ProfilePage(Page):
    """Open to everybody who is signed in, and about nobody else."""

    def is_accessible(self) -> bool:
        """Whether this person has signed in."""
        return bool(current_user.is_authenticated)

    def is_visible(self) -> bool:
        """Not in the menu: the person's own menu leads here."""
        return False

    @expose("/")
    def index(self) -> Any:
        """Show settings and sessions."""
        return self.render(
            "admin/profile/index.html",
            chosen=choices(),
            zones=time_zones(),
            shop_zone=current_app.config["SHOP_TIMEZONE"],
            sessions=open_sessions(db.session(), current_user.id),
            device=device,
        )

    @expose("/settings", methods=["POST"])
    def settings(self) -> Any:
        """Keep the settings that were sent; raises InputError for one that does not exist."""
        allowed = {
            "theme": THEMES,
            "density": DENSITIES,
            "shortcuts": SHORTCUTS,
            "time_zone": time_zones(),
        }
        values = {name: request.form[name] or None for name in allowed if name in request.form}
        for name, value in values.items():
            if value is not None and value not in allowed[name]:
                raise InputError("There is no such setting. Go back and choose another.")
        set_preferences(current_actor(), values)
        return redirect(request.form.get("url") or url_for(".index"))

    @expose("/sessions/end", methods=["POST"])
    def end(self) -> Any:
        """End one of the person's own sessions."""
        text = request.form.get("id", "")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise NotFoundError("There is no such session.")
        end_session(current_actor(), int(text))
        flash("That session has ended.", "success")
        return redirect(url_for(".index"))
