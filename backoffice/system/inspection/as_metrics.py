"""An inspection as Prometheus reads it, and as application/health+json."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backoffice.system.examination import Outcome
from backoffice.system.inspection.reading import Reading
from backoffice.system.inspection.report import Inspection

_LEVELS = {Outcome.PASS: 0, Outcome.WARN: 1, Outcome.FAIL: 2}


class InspectionCollector(Collector):
    """Checks and figures as gauges; of the process and the pool, those of the one that answers."""

    def __init__(self, inspection: Inspection) -> None:
        self._inspection = inspection

    def collect(self) -> Iterator[Metric]:
        """Yield the checks, then each figure that is a number under its group's name."""
        status = GaugeMetricFamily(
            "backoffice_check_status", "0 pass, 1 warn, 2 fail.", labels=["check"]
        )
        for name, result in self._inspection.health.results.items():
            status.add_metric([name], _LEVELS[result.outcome])
        yield status
        advice = GaugeMetricFamily(
            "backoffice_advice", "Pieces of advice on the health page.", labels=["group", "level"]
        )
        for reading in self._inspection.readings:
            for level in (Outcome.WARN, Outcome.FAIL):
                found = sum(one.outcome is level for one in reading.advice)
                advice.add_metric([reading.name, level.value], found)
        yield advice
        for reading in self._inspection.readings:
            yield from _gauges(reading)


def _gauges(reading: Reading) -> Iterator[Metric]:
    for name, value in reading.figures.items():
        number = _number(value)
        if number is not None:
            full = f"backoffice_{reading.name}_{name}"
            yield GaugeMetricFamily(full, f"{reading.title}: {name}.", value=number)


def _number(value: Any) -> float | None:
    match value:
        case bool() | int() | float() | Decimal():
            return float(value)
        case datetime():
            return value.timestamp()
        case _:
            return None


def as_health_json(inspection: Inspection) -> dict[str, Any]:
    """Return the inspection in the format of application/health+json."""
    health = inspection.health
    at = health.checked_at.isoformat(timespec="seconds")
    checks = {
        f"{name}:{'observed' if result.value is not None else 'status'}": [
            {
                "status": result.outcome,
                "output": result.sentence,
                "observedValue": result.value,
                "observedUnit": result.unit or None,
                "time": at,
            }
        ]
        for name, result in health.results.items()
    }
    return {
        "status": health.outcome,
        "checks": checks,
        "notes": [f"{one.sentence} ({one.evidence})" for one in inspection.advice],
        "groups": {reading.name: _group(reading) for reading in inspection.readings},
    }


def _group(reading: Reading) -> dict[str, Any]:
    if reading.problem:
        return {"problem": reading.problem}
    rows = [{name: _plain(value) for name, value in row.items()} for row in reading.rows]
    return {"rows": rows} if reading.is_table else {"figures": rows[0] if rows else {}}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case None | bool() | int() | float() | str():
            return value
        case _:
            return float(value) if isinstance(value, Decimal) else str(value)
