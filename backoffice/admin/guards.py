"""What closes every page: a permission, sane arguments and local return addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask_admin import BaseView
from flask_login import current_user

from backoffice.access import Actor, Permission

_LOCAL_URL = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")
# Flask-Admin hands unknown arguments on to url_for(), to which these mean something.
_RESERVED = {"endpoint", "self", "cls", "export_type", "values", "name"}


def current_actor() -> Actor:
    """Return who sent this request; every page is closed to strangers, so there is one.

    `g.source` says from where on the page it came, when that is not a form.
    """
    actor: Actor = current_user.actor
    return replace(actor, source=g.source) if "source" in g else actor


class Guarded:
    """Closed by default: a view without a `read` permission is open to nobody."""

    read: Permission | None = None

    def is_accessible(self) -> bool:
        """Whether this person may see the view, in the menu and by its address."""
        return bool(current_user.is_authenticated and self.read and current_actor().can(self.read))

    def inaccessible_callback(self, _name: str, **_kwargs: Any) -> Any:
        """Send strangers to sign in and come back; tell the others that they may not."""
        if current_user.is_authenticated:
            abort(403)
        if request.path.endswith(".json") or request.method not in ("GET", "HEAD"):
            abort(401)
        return redirect(url_for("login.login", next=request.full_path.rstrip("?")))

    def _run_view(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the page once; Flask-Admin would hide a TypeError in it behind a second call."""
        return function(self, *args, **kwargs)


class Page(Guarded, BaseView):
    """A page of the console that is not about one table."""

    def may_open(self, endpoint: str) -> bool:
        """Whether this person may see another view, so that a link to it leads somewhere."""
        views = {view.endpoint: view for view in self.admin._views}  # noqa: SLF001
        return bool(views[endpoint].is_accessible())


def guard_arguments(app: Flask, blueprints: frozenset[str]) -> None:
    """Refuse foreign return addresses and arguments that would reach url_for()."""

    @app.before_request
    def check() -> None:
        if request.blueprint not in blueprints:
            return
        if any(name.startswith("_") or name in _RESERVED for name in request.args):
            abort(404)
        # PostgreSQL's text cannot hold it, and no keyboard sends it.
        if any("\0" in value for values in request.form.listvalues() for value in values):
            abort(400)
        for url in request.values.getlist("url"):
            if url and not _LOCAL_URL.fullmatch(url):
                abort(400)
