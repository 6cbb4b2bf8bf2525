"""The menu and the pages to go to: they depend on permissions alone, so each set has one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, request
from flask_admin import Admin
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from backoffice.access import Permission
from backoffice.admin.guards import current_actor
from backoffice.admin.icons import menu_icon
from backoffice.admin.palette import pages_of
from backoffice.db import write_refusal


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu."""

    name: str
    url: str
    endpoint: str
    icon: Markup


@dataclass(frozen=True, slots=True)
class Area:
    """Some pages under a heading; without a name they stand by themselves."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """What one set of permissions opens; `pages` is what the palette offers, as JSON."""

    areas: tuple[Area, ...]
    pages: Markup


def init_app(app: Flask, admin: Admin) -> None:
    """Offer `menu()` to templates."""

    # Addresses depend on the prefix that a proxy adds; what can be made, on whether one may write.
    @lru_cache(maxsize=32)
    def built(_permissions: frozenset[Permission], _prefix: str, _may_write: bool) -> Menu:
        pages = htmlsafe_json_dumps([asdict(page) for page in pages_of(admin)])
        areas = (_area(item) for item in admin.menu())
        return Menu(tuple(area for area in areas if area.entries), pages)

    app.jinja_env.globals["menu"] = lambda: built(
        current_actor().permissions, request.script_root, write_refusal.get() is None
    )


def _area(item: Any) -> Area:
    if item.is_category():
        return Area(item.name, tuple(_entry(child) for child in item.get_children()))
    is_open = item.is_accessible() and item.is_visible()
    return Area("", (_entry(item),) if is_open else ())


def _entry(item: Any) -> Entry:
    endpoint = item._view.endpoint  # noqa: SLF001
    return Entry(item.name, item.get_url(), endpoint, menu_icon(endpoint))
