"""Reading pages and sending forms as a browser does."""

from __future__ import annotations

import html
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_TAGS = re.compile(r"<[^>]+>")


def csrf_token(client: FlaskClient, page: str = "/admin/") -> str:
    """Return the token that a form on the page carries."""
    found = _TOKEN.search(client.get(page).text)
    assert found, f"{page} has no form"
    return found[1]


def post(client: FlaskClient, path: str, page: str = "/admin/", **fields: Any) -> TestResponse:
    """Send a form with the token that belongs to it."""
    return client.post(path, data={"csrf_token": csrf_token(client, page), **fields})


def words(response: TestResponse) -> str:
    """Return what a person reads on the page."""
    text = html.unescape(_TAGS.sub(" ", response.text))
    return " ".join(text.split())
