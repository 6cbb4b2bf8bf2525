"""Pages go out compressed, with a random length that hides what compression would give away."""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Flask, Response, request

_TYPES = {"text/html", "application/json", "text/csv", "text/plain"}
_WORTH_IT = 1000
_LEVEL = 5
_MOST_PADDING = 100


def init_app(app: Flask) -> None:
    """Compress what the app answers; not streams, which would be held back."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype not in _TYPES or response.is_streamed or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    known = "Content-Encoding" in response.headers
    if known or len(body) < _WORTH_IT or not request.accept_encodings.quality("gzip"):
        return response
    response.set_data(_packed(body))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _packed(body: bytes) -> bytes:
    """Compress; a file name of random length in the header blurs the size (docs/adr/0009)."""
    target = io.BytesIO()
    padding = "a" * secrets.randbelow(_MOST_PADDING + 1)
    with gzip.GzipFile(padding, "wb", _LEVEL, target, mtime=0) as file:
        file.write(body)
    return target.getvalue()
