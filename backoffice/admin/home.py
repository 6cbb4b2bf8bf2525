"""The first page of the console."""

from __future__ import annotations

from typing import Any

from flask_admin import AdminIndexView, expose
from flask_login import current_user

from backoffice.admin.guards import Guarded


class HomePage(Guarded, AdminIndexView):
    """Where every member of staff arrives: the areas that are theirs."""

    def is_accessible(self) -> bool:
        """Whether this person has signed in."""
        return bool(current_user.is_authenticated)

    @expose("/")
    def index(self) -> Any:
        """Show the areas."""
        return self.render("admin/home/index.html")
