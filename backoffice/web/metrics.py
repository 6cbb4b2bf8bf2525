"""What every worker counts of its requests; under gunicorn all of them share one store."""

from __future__ import annotations

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
    values,
)
from prometheus_client.registry import Collector

# gunicorn.conf.py names the folder before this module is imported; without it there is one process.
STORE = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
_place = 0
if STORE:
    # By the worker's place, not its process id: a replaced worker goes on where the last one was.
    values.ValueClass = values.MultiProcessValue(lambda: _place)  # type: ignore[no-untyped-call]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OWN = CollectorRegistry()
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# By the route, never the path: paths are without end, and ids are in them.
requests = Counter(
    "backoffice_http_requests",
    "Requests answered.",
    ["method", "route", "status"],
    registry=_OWN,
)
duration = Histogram(
    "backoffice_http_request_duration_seconds",
    "Time to answer, without sending the body of a streamed answer.",
    ["route"],
    buckets=_BUCKETS,
    registry=_OWN,
)
statements = Counter(
    "backoffice_http_statements", "Statements sent to the database.", ["route"], registry=_OWN
)
statement_seconds = Counter(
    "backoffice_http_statement_seconds", "Time spent in them.", ["route"], registry=_OWN
)


def become_worker(place: int) -> None:
    """Count from now on under this place, which no other living process has."""
    global _place
    _place = place


def count_request(
    method: str, route: str, status: int, seconds: float, count: int, in_database: float
) -> None:
    """Count one request that was answered."""
    name = method if method in _METHODS else "other"
    requests.labels(name, route, str(status)).inc()
    duration.labels(route).observe(seconds)
    statements.labels(route).inc(count)
    statement_seconds.labels(route).inc(in_database)


def shared_registry() -> CollectorRegistry:
    """Return what all workers have counted; of a single process, its own."""
    if not STORE:
        return _OWN
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def totals() -> dict[str, float]:
    """Return what all workers answered since the start: all requests, failed ones, and seconds."""
    found = {"requests": 0.0, "failed": 0.0, "seconds": 0.0}
    for family in shared_registry().collect():
        for sample in family.samples:
            if sample.name == "backoffice_http_requests_total":
                found["requests"] += sample.value
                found["failed"] += sample.value if sample.labels["status"] >= "500" else 0
            elif sample.name == "backoffice_http_request_duration_seconds_sum":
                found["seconds"] += sample.value
    return found


def exposition(extra: Collector) -> bytes:
    """Return all metrics as text: the shared ones, then what `extra` knows of this moment."""
    moment = CollectorRegistry()
    moment.register(extra)
    return generate_latest(shared_registry()) + generate_latest(moment)
