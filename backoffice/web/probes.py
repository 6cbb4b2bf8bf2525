"""Health probes for machines: a status and nothing else, to anyone.

They are exempt from login, rate limits and the request log, so they must stay cheap and silent.
Several names, because orchestrators and monitors have their habits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify

from backoffice.db import db
from backoffice.system.examination import Outcome, examine
from backoffice.system.health import READINESS
from backoffice.system.kept import Kept
from backoffice.web import monitoring

PATHS = ("/livez", "/healthz", "/readyz")
# However many probes ask, the database sees one short connection in this time; and a probe tells
# within two seconds that it has gone or come back.
READY_SECONDS = 1.0
probes = Blueprint("probes", __name__)


@probes.get("/livez")
@probes.get("/healthz")
def live() -> Response:
    """Answer that the process serves; says nothing of the database."""
    return _answer(is_well=True)


@probes.get("/readyz")
def ready() -> Response:
    """Answer whether the database is there with the schema of this code; 503 if not."""
    readiness: Kept[bool] = current_app.extensions["readiness"]
    return _answer(is_well=readiness.get())


def _answer(*, is_well: bool) -> Response:
    response = jsonify(status=Outcome.PASS if is_well else Outcome.FAIL)
    response.status_code = 200 if is_well else 503
    response.headers["Cache-Control"] = "no-store"
    return response


class AnyHost:
    """Let probes in under any host name: a load balancer asks by address.

    Their answers never contain the host, so TRUSTED_HOSTS has nothing to protect here.
    """

    def __init__(self, wsgi_app: Any, host: str) -> None:
        self._wsgi_app = wsgi_app
        self._host = host

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request, as one for our own host if it is for a probe."""
        if environ.get("PATH_INFO") in (*PATHS, *monitoring.PATHS):
            environ["HTTP_HOST"] = self._host
        answer: Iterable[bytes] = self._wsgi_app(environ, start_response)
        return answer


def init_app(app: Flask) -> None:
    """Serve the probes; needs the database to be attached."""
    with app.app_context():
        # `.engine`: a test may have put a connection in its place.
        engine = db.engine.engine
    app.extensions["readiness"] = Kept(
        lambda: examine(engine, READINESS).outcome is not Outcome.FAIL, READY_SECONDS
    )
    app.register_blueprint(probes)
    if hosts := app.config.get("TRUSTED_HOSTS"):
        app.wsgi_app = AnyHost(app.wsgi_app, hosts[0].lstrip("."))  # type: ignore[method-assign]
