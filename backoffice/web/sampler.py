"""A thread in each worker that notes the figures every five minutes; the first one wins."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from backoffice.db import db, utc_now
from backoffice.errors import BackofficeError
from backoffice.services.health_samples import EVERY, due_at, is_taken, keep_sample
from backoffice.system.health import STARTED_AT
from backoffice.system.inspection.report import Inspection
from backoffice.web import metrics

log = logging.getLogger("backoffice.sampler")
_LATEST_SECONDS = 20


def init_app(app: Flask) -> None:
    """Let the server say which worker this process is, once it is one; then it takes samples."""

    def become_worker(place: int) -> None:
        metrics.become_worker(place)
        threading.Thread(target=_run, args=[app], name="sampler", daemon=True).start()

    app.extensions["become_worker"] = become_worker


def _run(app: Flask) -> None:
    while True:
        left = EVERY.total_seconds() - time.time() % EVERY.total_seconds()
        # Not all workers at once.
        time.sleep(left + random.uniform(0, _LATEST_SECONDS))  # noqa: S311
        with app.app_context():
            try:
                take_sample(app)
            except (SQLAlchemyError, BackofficeError):
                log.warning("the figures were not noted", exc_info=True)


def take_sample(app: Flask) -> None:
    """Note this server's figures, unless it was done or the schema is another one."""
    if app.extensions["schema_watch"].trouble() is not None:
        return
    taken_at, instance = due_at(utc_now()), socket.gethostname()[:64]
    if is_taken(db.session(), taken_at, instance):
        return
    keep_sample(taken_at, instance, _figures(app.extensions["inspection"].get()))


def _figures(inspection: Inspection) -> dict[str, Any]:
    readings = {reading.name: reading.figures for reading in inspection.readings}
    server, connections = readings.get("server", {}), readings.get("connections", {})
    checks = inspection.health.results
    found = {
        "size_bytes": server.get("size_bytes"),
        "connections": connections.get("used"),
        "longest_transaction_seconds": connections.get("longest_transaction_seconds"),
        "database_seconds": float(checks["database"].value or 0) / 1000,
    }
    counted = {"since": STARTED_AT.isoformat(), **metrics.totals()}
    return {name: value for name, value in found.items() if value is not None} | counted
