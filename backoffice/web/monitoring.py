"""Health and metrics for machines that prove who they are: by a token, or signed in."""

from __future__ import annotations

import hmac
from functools import partial

from flask import Blueprint, Flask, Response, abort, current_app, json, request
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST

from backoffice.access import Permission
from backoffice.db import db
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.examination import Outcome
from backoffice.system.inspection.as_metrics import InspectionCollector, as_health_json
from backoffice.system.inspection.report import Inspection, inspect_installation
from backoffice.system.kept import Kept
from backoffice.web.metrics import exposition

# However often pages and scrapers ask, the database is looked at once in this time.
KEPT_SECONDS = 5
PATHS = ("/metrics", "/healthz.json")
monitoring = Blueprint("monitoring", __name__)


@monitoring.get("/metrics")
def metrics() -> Response:
    """Return the metrics as Prometheus reads them."""
    _require_proof()
    return _answer(exposition(InspectionCollector(_inspection())), CONTENT_TYPE_LATEST)


@monitoring.get("/healthz.json")
def health() -> Response:
    """Return all checks and figures; 503 when something has failed."""
    _require_proof()
    found = _inspection()
    response = _answer(json.dumps(as_health_json(found)).encode(), "application/health+json")
    response.status_code = 503 if found.health.outcome is Outcome.FAIL else 200
    return response


def _require_proof() -> None:
    """Answer 401 or 403 to whoever has neither the token nor the permission.

    The token is looked at first: it must do while the database, which knows people, is down.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = current_app.config["METRICS_TOKEN"]
    if scheme.lower() == "bearer":
        if token and hmac.compare_digest(given.strip().encode(), token.encode()):
            return
        abort(401)
    if not current_user.is_authenticated:
        abort(401)
    if not current_user.actor.can(Permission.HEALTH_READ):
        abort(403)


def _inspection() -> Inspection:
    kept: Kept[Inspection] = current_app.extensions["inspection"]
    return kept.get()


def _answer(body: bytes, mimetype: str) -> Response:
    response = Response(body, content_type=mimetype)
    response.headers["Cache-Control"] = "no-store"
    return response


def init_app(app: Flask) -> None:
    """Serve metrics and health; needs the database to be attached."""
    with app.app_context():
        inspect = partial(
            inspect_installation,
            db.engine.engine,  # a test may have put a connection in its place
            redis_url=app.config["REDIS_URL"],
            reports_url=app.config["REPORTS_DATABASE_URL"],
            backups=BackupSettings.from_config(app.config),
        )
        app.extensions["inspection"] = Kept(inspect, KEPT_SECONDS)
    app.register_blueprint(monitoring)
