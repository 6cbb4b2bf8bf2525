"""One line per event on standard error: JSON for machines, or text for a developer."""

from __future__ import annotations

import logging
import logging.config
import re
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from backoffice.web.request_id import current_request_id

_TEXT = "%(asctime)s %(levelname)-7s %(request_id)s %(message)s"
# A value may have several lines, so it ends only where a traceback goes on.
_DETAIL = re.compile(
    r"^DETAIL: .*?(?=^\[SQL|^\(Background|^$\n^The above exception|^$\n^During handling|\Z)",
    re.MULTILINE | re.DOTALL,
)


class RequestIdFilter(logging.Filter):
    """Put the id of the current request on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = current_request_id() or "-"
        return True


class _WithoutRows(logging.Formatter):
    """Leaves out what PostgreSQL tells of the row it refused: that is somebody's data."""

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return _DETAIL.sub("DETAIL: left out\n", super().formatException(ei))


class TextFormatter(_WithoutRows):
    """The message, then the facts of the event as key=value."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the message on one line: what a caller sent must not look like a line of ours."""
        line = super().formatMessage(record)
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts: dict[str, Any] = getattr(record, "facts", {})
        line = super().format(record)
        return " ".join([line, *(f"{key}={value}" for key, value in facts.items())])


class FactsJsonFormatter(_WithoutRows, JsonFormatter):
    """One JSON object per line, the facts of the event as its members."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Lift the facts to the top level."""
        facts: dict[str, Any] = log_data.pop("facts", {})
        return log_data | facts

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return the moment in UTC, ISO 8601."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def configure_logging(level: str, fmt: str) -> None:
    """Send all logs to standard error in `fmt`, "json" or "text"; gunicorn's own too."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request_id": {"()": RequestIdFilter}},
            "formatters": {
                "text": {"()": TextFormatter, "format": _TEXT, "datefmt": "%H:%M:%S"},
                "json": {
                    "()": "backoffice.web.logs.FactsJsonFormatter",
                    "fmt": "{asctime}{levelname}{name}{message}{request_id}",
                    "style": "{",
                    "rename_fields": {
                        "asctime": "time",
                        "levelname": "level",
                        "name": "logger",
                    },
                },
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "filters": ["request_id"],
                    "formatter": fmt,
                }
            },
            "root": {"level": level, "handlers": ["stderr"]},
            "loggers": {
                "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
                "werkzeug": {"level": "WARNING"},
                "alembic": {"level": "WARNING"},
            },
        }
    )
