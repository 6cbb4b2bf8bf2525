"""What a browser says of itself, in words."""

from __future__ import annotations

# The order matters: most browsers also name those that they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str | None) -> str:
    """Return something like "Firefox on Windows"; anybody can claim to be anything."""
    text = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in text), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    return f"{browser} on {system}" if system else browser
