"""Errors as a page or as JSON, by what was asked for: one sentence and a reference id."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import HTTPException, SecurityError

from backoffice.db import db
from backoffice.errors import BackofficeError, ClosedError
from backoffice.system.schema.watch import DIFFERS
from backoffice.web.request_id import current_request_id

log = logging.getLogger("backoffice.error")

_SENTENCES = {
    400: "The request could not be understood. Go back and try again.",
    401: "Sign in to see this.",
    403: "You do not have the permission to see or do this.",
    404: "There is nothing at this address, or it is not yours to see.",
    405: "This address cannot be used in that way.",
    413: "That was more data than one request may carry.",
    429: "Too many attempts. Wait a few minutes and try again.",
    500: "Something went wrong on our side. Nothing was saved.",
    503: "The database does not answer. Try again in a moment.",
}
_DEFAULT = "The request could not be completed."


def init_app(app: Flask) -> None:
    """Answer every failure ourselves."""
    app.register_error_handler(BackofficeError, _expected)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ObjectDeletedError, _gone)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether this request would rather have JSON than a page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" or request.path.endswith(".json")


def _expected(error: BackofficeError) -> Response:
    _roll_back()
    answer = _answer(error.status_code, str(error))
    if isinstance(error, ClosedError) and error.seconds:
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _forged(_error: CSRFError) -> Response:
    return _answer(400, "This form was open for too long. Go back, reload the page and try again.")


def _foreign_host(_error: SecurityError) -> Response:
    # No page: its links would need the host name that is not trusted.
    return Response("This host name is not served here.\n", 400, mimetype="text/plain")


def _gone(_error: ObjectDeletedError) -> Response:
    _roll_back()
    return _answer(404, "Somebody else has just deleted this record. Nothing was saved.")


def _http(error: HTTPException) -> Response:
    _roll_back()
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    code = error.code or 500
    answer = _answer(code, _SENTENCES.get(code, _DEFAULT))
    for name in ("Allow", "Retry-After"):
        for key, value in error.get_headers():
            if key == name:
                answer.headers[name] = value
    return answer


def _unexpected(error: Exception) -> Response:
    _roll_back()
    unavailable = isinstance(error, PoolTimeoutError) or (
        isinstance(error, DBAPIError)
        and (isinstance(error, OperationalError) or error.connection_invalidated)
    )
    # A table or column that the code expects and the schema has not, or the other way round.
    differs = isinstance(error, DBAPIError) and current_app.extensions["schema_watch"].trouble()
    code = 503 if unavailable or differs else 500
    log.error("unexpected error", exc_info=error, extra={"facts": {"status": code}})
    return _answer(code, DIFFERS if differs else _SENTENCES[code])


def _roll_back() -> None:
    """Roll back; a lost connection cannot, and says so only in the log."""
    try:
        db.session.rollback()
    except DBAPIError:
        log.warning("rollback failed", exc_info=True)
        db.session.remove()


def _answer(code: int, sentence: str) -> Response:
    title = HTTPStatus(code).phrase
    reference = current_request_id()
    if wants_json():
        body: Any = jsonify(error=sentence, status=code, reference=reference)
    else:
        # The page asks nothing of the database, which may be what failed. render_template() would:
        # Flask-Login tells every template who is signed in.
        template = current_app.jinja_env.get_template("error.html")
        body = template.render(code=code, title=title, sentence=sentence, reference=reference)
    return make_response(body, code)
