"""Browsers in words."""

from __future__ import annotations

import pytest

from backoffice.admin.devices import device

MOZILLA = "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Windows",
        ),
        (MOZILLA % "X11; Linux x86_64" + "Chrome/130.0 Safari/537.36", "Chrome on Linux"),
        (MOZILLA % "Windows NT 10.0" + "Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        (MOZILLA % "Macintosh; Intel Mac OS X 10_15" + "Version/18 Safari/605", "Safari on macOS"),
        (MOZILLA % "iPhone; CPU iPhone OS 18_0 like Mac OS X" + "Safari/604", "Safari on iPhone"),
        (MOZILLA % "Linux; Android 14" + "Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
        (None, "Unknown browser"),
    ],
)
def test_a_browser_is_told_in_words(user_agent: str | None, words: str) -> None:
    assert device(user_agent) == words
