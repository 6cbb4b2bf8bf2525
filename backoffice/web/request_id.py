"""The id that ties a person's error page to the lines in the log."""

from __future__ import annotations

import re
import secrets

from flask import current_app, g, has_request_context, request

_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{8,64}")


def current_request_id() -> str | None:
    """Return the id of this request, None outside of one.

    Taken from X-Request-ID behind a trusted proxy, else made here.
    """
    if not has_request_context():
        return None
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        trusted = current_app.config["PROXY_HOPS"] > 0 and _ACCEPTABLE.fullmatch(given)
        g.request_id = given if trusted else secrets.token_hex(8)
    request_id: str = g.request_id
    return request_id
