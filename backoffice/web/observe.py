"""Each request leaves one line in the log, and a warning for each slow statement."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from backoffice.db import StatementLog, statement_log
from backoffice.web import metrics
from backoffice.web.request_id import current_request_id

log = logging.getLogger("backoffice.request")
_UNLOGGED = ("/livez", "/readyz", "/healthz", "/metrics", "/static/", "/bootstrap/")


def init_app(app: Flask) -> None:
    """Watch every request of the app."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()
    g.statements = StatementLog()
    statement_log.set(g.statements)
    current_request_id()


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = current_request_id() or ""
    if "started" not in g or request.path.startswith(_UNLOGGED):
        return response
    statements: StatementLog = g.statements
    route = str(request.url_rule) if request.url_rule else "-"
    seconds = time.perf_counter() - g.started
    metrics.count_request(
        request.method,
        route,
        response.status_code,
        seconds,
        statements.count,
        statements.seconds,
    )
    log.info(
        "request",
        extra={
            "facts": {
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "ms": round(seconds * 1000, 1),
                "statements": statements.count,
                "statements_ms": round(statements.seconds * 1000, 1),
                "user_id": g.get("user_id", "-"),
            }
        },
    )
    for seconds, sql in statements.slow:
        log.warning(
            "slow query",
            extra={"facts": {"ms": round(seconds * 1000, 1), "route": route, "sql": _short(sql)}},
        )
    return response


def _short(sql: str) -> str:
    """Return the statement on one line; its parameters are never in it."""
    return " ".join(sql.split())[:2000]
