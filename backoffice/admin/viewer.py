"""How this person wants the console: theme, density, time zone and keys."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, g, has_request_context
from flask_login import current_user
from markupsafe import Markup

from backoffice.db import db
from backoffice.services.preferences import preferences_of

THEMES = ("light", "dark")
DENSITIES = ("compact",)
SHORTCUTS = ("off",)


def choices() -> dict[str, Any]:
    """Return the viewer's choices, read at most once a request; a stranger has none."""
    if "preferences" not in g:
        known = has_request_context() and current_user.is_authenticated
        g.preferences = preferences_of(db.session(), current_user.id) if known else {}
    chosen: dict[str, Any] = g.preferences
    return chosen


def chosen_zone() -> ZoneInfo | None:
    """Return the zone that the viewer has chosen, None for the shop's."""
    name = choices().get("time_zone")
    return ZoneInfo(name) if name and name in time_zones() else None


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Return the zones to choose from: those named after places, and UTC."""
    named = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return ("UTC", *sorted(named))


def appearance(*, ask: bool = True) -> Markup:
    """Return the attributes of <html>; an error page does not `ask` the database for them."""
    chosen = choices() if ask else g.get("preferences", {})
    attributes = Markup()
    if chosen.get("theme") in THEMES:
        attributes += Markup(' data-bs-theme="{}"').format(chosen["theme"])
    if chosen.get("density") in DENSITIES:
        attributes += Markup(' data-density="{}"').format(chosen["density"])
    if chosen.get("shortcuts") in SHORTCUTS:
        attributes += Markup(' data-shortcuts="off"')
    return attributes


def init_app(app: Flask) -> None:
    """Offer `appearance()` and `viewer_choices()` to templates."""
    app.jinja_env.globals["appearance"] = appearance
    app.jinja_env.globals["viewer_choices"] = choices
