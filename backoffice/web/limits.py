"""Rate limits; their storage is Redis when REDIS_URL is set, else this process."""

from __future__ import annotations

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address)


def init_app(app: Flask) -> None:
    """Limit the app's routes; our hook comes first because it must run after the limiter's."""
    app.after_request(_say_when_only_if_refused)
    limiter.init_app(app)


def _say_when_only_if_refused(response: Response) -> Response:
    """Take away the limiter's Retry-After from an answer that refused nothing."""
    if response.status_code not in (429, 503):
        response.headers.pop("Retry-After", None)
    return response
