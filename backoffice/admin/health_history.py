"""The figures of the last day as small charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backoffice.db import utc_now
from backoffice.services.health_samples import EVERY

DAY = timedelta(hours=24)
WIDTH, HEIGHT = 288, 60
TITLES = {
    "requests_per_minute": "Requests per minute",
    "failed_per_minute": "Failed per minute",
    "mean_seconds": "Mean time to answer",
    "database_seconds": "Database answers in",
    "connections": "Connections to the database",
    "longest_transaction_seconds": "Longest transaction",
    "size_bytes": "Size of the database",
}
_ADDED = ("requests_per_minute", "failed_per_minute")
Points = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure over the day; a gap in time is a gap between lines."""

    name: str
    title: str
    latest: float
    lowest: float
    highest: float
    lines: tuple[str, ...]


def draw_history(samples: Sequence[Any]) -> list[Chart]:
    """Return a chart for each figure that has at least two points."""
    found = _points(samples)
    return [_chart(name, found[name]) for name in TITLES if len(found.get(name, ())) > 1]


def _points(samples: Sequence[Any]) -> dict[str, Points]:
    """Return the points of each figure: requests of all servers together, the worst of the rest."""
    values: dict[str, dict[datetime, float]] = defaultdict(dict)
    before: dict[str, dict[str, Any]] = {}
    for taken_at, instance, figures in samples:
        shown = figures | _rates(before.get(instance), figures, taken_at)
        for name in TITLES.keys() & shown.keys():
            known = values[name].get(taken_at)
            value = float(shown[name])
            if known is not None:
                value = known + value if name in _ADDED else max(known, value)
            values[name][taken_at] = value
        before[instance] = figures | {"taken_at": taken_at}
    return {name: sorted(points.items()) for name, points in values.items()}


def _rates(
    before: dict[str, Any] | None, now: dict[str, Any], taken_at: datetime
) -> dict[str, float]:
    """Return what was counted between two samples of one server that was not restarted."""
    if before is None or before.get("since") != now.get("since"):
        return {}
    minutes = (taken_at - before["taken_at"]).total_seconds() / 60
    requests = now["requests"] - before["requests"]
    rates = {
        "requests_per_minute": requests / minutes,
        "failed_per_minute": (now["failed"] - before["failed"]) / minutes,
    }
    if requests > 0:
        rates["mean_seconds"] = (now["seconds"] - before["seconds"]) / requests
    return rates


def _chart(name: str, points: Points) -> Chart:
    values = [value for _at, value in points]
    return Chart(
        name,
        TITLES[name],
        round(values[-1], 3),
        round(min(values), 3),
        round(max(values), 3),
        tuple(_lines(points, max(values) or 1.0)),
    )


def _lines(points: Points, top: float) -> Iterable[str]:
    """Yield a line for each stretch without a gap."""
    begin, line, last = utc_now() - DAY, list[str](), points[0][0]
    for at, value in points:
        if at - last > EVERY * 1.5:
            yield " ".join(line)
            line = []
        x = (at - begin) / DAY * WIDTH
        line.append(f"{x:.1f},{HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}")
        last = at
    yield " ".join(line)
