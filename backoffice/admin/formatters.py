"""How values look in lists, on records and in reports."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from markupsafe import Markup, escape

from backoffice.admin.masking import label
from backoffice.admin.viewer import chosen_zone
from backoffice.db import Base, utc_now

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3_600, 86_400, 604_800
EMPTY = Markup('<span class="empty" title="empty">–</span>')


def shop_zone() -> ZoneInfo:
    """Return the zone that decides which day a moment is on."""
    return ZoneInfo(current_app.config["SHOP_TIMEZONE"])


def viewer_zone() -> ZoneInfo:
    """Return the zone in which this person reads moments."""
    return chosen_zone() or shop_zone()


def moment(value: datetime) -> Markup:
    """Return a moment in the viewer's zone, exact on hover."""
    local = value.astimezone(viewer_zone())
    # Nothing in a moment needs escaping, and a list has many of them.
    return Markup(  # noqa: S704
        f'<time datetime="{value.isoformat()}" title="{local:%A %d %B %Y %H:%M:%S %Z}">'
        f"{local.isoformat(' ', 'minutes')[:16]}</time>"
    )


def age(value: datetime) -> str | None:
    """Return how long ago a moment of the last week was; None for any other."""
    seconds = (utc_now() - value).total_seconds()
    if not 0 <= seconds < _WEEK:
        return None
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h ago"
    days = f"{seconds // _DAY:.0f}"
    return f"{days} day ago" if days == "1" else f"{days} days ago"


def lately(value: datetime) -> Markup:
    """Return a moment by its age if it was of late, and exact to whoever looks at its row."""
    near = age(value)
    if near is None:
        return moment(value)
    local = value.astimezone(viewer_zone())
    return Markup(  # noqa: S704
        f'<time class="ago" datetime="{value.isoformat()}"><span class="near">{near}</span> '
        f'<span class="exact">{local:%Y-%m-%d %H:%M}</span></time>'
    )


def money(value: Decimal, currency: str) -> Markup:
    """Return an amount with its currency."""
    return Markup(f'{amount(value)} <span class="currency">{escape(currency)}</span>')  # noqa: S704


def amount(value: Decimal) -> str:
    """Return money with thousands separated, and as many decimals as it needs, two at least."""
    places = max(2, -int(value.normalize().as_tuple().exponent))
    return f"{value:,.{places}f}"


@lru_cache(maxsize=256)
def badge(value: Enum) -> Markup:
    """Return a status as a badge that carries its name, not only a colour."""
    name = str(value.value)
    html = Markup('<span class="status status-{}">{}</span>')
    return html.format(name.replace(" ", "-"), name.replace("_", " "))


def show(value: Any) -> Any:
    """Return any value as it is shown; what is unknown is escaped text."""
    match value:
        case None | "":
            return EMPTY
        case bool():
            return "yes" if value else "no"
        case Enum():
            return badge(value)
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Decimal():
            return amount(value)
        case Base():
            return label(value)
        case list():
            return Markup(", ").join(escape(show(item)) for item in value) or EMPTY
        case _:
            return str(value)


def init_app(app: Flask) -> None:
    """Offer `show` to templates."""
    app.jinja_env.filters["show"] = show
