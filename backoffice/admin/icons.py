"""The few symbols that we use, taken out of the sprite that Bootstrap-Flask carries."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree as ET

import flask_bootstrap
from flask import Flask
from markupsafe import Markup

_SPRITE = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/icons/bootstrap-icons.svg"
# By the endpoint of the view; one that is not here has no icon in the menu.
MENU = {
    "admin": "house",
    "orders": "bag",
    "order_items": "list-ul",
    "payments": "credit-card",
    "refunds": "arrow-return-left",
    "order_events": "journal",
    "products": "box-seam",
    "categories": "diagram-3",
    "tags": "tags",
    "stock_movements": "arrow-left-right",
    "stock_take": "upc-scan",
    "price_changes": "graph-up",
    "customers": "people",
    "reports": "bar-chart-line",
    "bulk_plans": "ui-checks",
    "quality": "clipboard2-check",
    "health": "heart-pulse",
    "maintenance": "cone-striped",
    "migrations": "layers",
    "backups": "safe",
    "users": "person-gear",
    "change_sets": "clock-history",
}
_SVG = "{http://www.w3.org/2000/svg}"
_ATTRIBUTES = ("d", "fill-rule", "cx", "cy", "r")


@lru_cache(maxsize=64)
def icon(name: str) -> Markup:
    """Return a symbol as inline SVG, hidden from screen readers; raises LookupError without one."""
    symbol = _symbols().get(name)
    if symbol is None:
        raise LookupError(f"There is no icon {name!r}.")
    shapes = Markup().join(_shape(element) for element in symbol)
    return Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>').format(
        shapes
    )


def menu_icon(endpoint: str) -> Markup:
    """Return the icon of a view, or nothing."""
    return icon(MENU[endpoint]) if endpoint in MENU else Markup()


def _shape(element: ET.Element) -> Markup:
    given = ((name, element.get(name)) for name in _ATTRIBUTES)
    attributes = Markup().join(
        Markup(' {}="{}"').format(name, value) for name, value in given if value is not None
    )
    return Markup("<{}{}/>").format(element.tag.removeprefix(_SVG), attributes)


@lru_cache(maxsize=1)
def _symbols() -> dict[str, ET.Element]:
    # The file is part of an installed package: no entity in it comes from outside.
    root = ET.parse(_SPRITE).getroot()  # noqa: S314
    return {symbol.get("id", ""): symbol for symbol in root.iter(f"{_SVG}symbol")}


def init_app(app: Flask) -> None:
    """Offer `icon()` to templates."""
    app.jinja_env.globals["icon"] = icon
