"""How a measured figure looks: the suffix of its name says what it is."""

from __future__ import annotations

from typing import Any

from flask import Flask

from backoffice.admin.formatters import show

_SUFFIXES = ("_bytes", "_seconds", "_ratio", "_at")
_UNITS = ((60, "s"), (3_600, "min"), (86_400, "h"), (float("inf"), "days"))


def label(name: str) -> str:
    """Return the name of a figure as a heading."""
    words = next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)
    return words.replace("_", " ").capitalize()


def measure(value: Any, name: str) -> Any:
    """Return the value with its unit."""
    if value is None or isinstance(value, bool | str):
        return show(value)
    if name.endswith("_bytes"):
        return size(float(value))
    if name.endswith("_seconds"):
        return duration(float(value))
    if name.endswith("_ratio"):
        return f"{float(value):.1%}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and name != "pid" else show(value)


def size(count: float) -> str:
    """Return a number of bytes in the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} TB"


def duration(seconds: float) -> str:
    """Return a time in the unit that fits."""
    if seconds < 1:
        return f"{seconds * 1000:,.0f} ms"
    below = 1.0
    for limit, unit in _UNITS:
        if seconds < limit:
            return f"{seconds / below:,.1f} {unit}"
        below = limit
    raise AssertionError  # the last limit is infinite


def init_app(app: Flask) -> None:
    """Offer `measure` and `label` to templates."""
    app.jinja_env.filters["measure"] = measure
    app.jinja_env.filters["label"] = label
