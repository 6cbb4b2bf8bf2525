"""The report for machines: what the page shows, under stable names."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from backoffice.system.schema.plan import PlannedStep
from backoffice.system.schema.report import SchemaReport


def as_json(report: SchemaReport) -> dict[str, Any]:
    """Return the report as what JSON can hold."""
    status = report.status
    return {
        "code": int(report.code),
        "verdicts": [
            {"word": said.word, "outcome": said.outcome.value, "sentence": said.sentence}
            for said in report.verdicts
        ],
        "read_at": _moment(report.read_at),
        "could_not_be_read": list(report.unread),
        "database": report.database,
        "current": list(status.current),
        "heads": list(status.heads),
        "unknown": list(status.unknown),
        "is_migrating": report.running,
        "pending_count": len(status.pending),
        "pending": [_step(step) for step in report.plan],
        "history": [
            asdict(entry) | {"finished_at": _moment(entry.finished_at), "file": report.fate(entry)}
            for entry in report.entries
        ],
        "changed_files": list(report.changed),
        "drift": [asdict(one) | {"verdict": one.verdict} for one in report.drift],
        "invalid": [asdict(one) for one in report.leftovers],
    }


def _step(step: PlannedStep) -> dict[str, Any]:
    return {
        "revision": step.revision.id,
        "message": step.revision.message,
        "created_at": _moment(step.revision.created_at),
        "down_revisions": list(step.revision.down_revisions),
        "is_reversible": step.is_reversible,
        "lock": step.lock,
        "outcome": step.outcome.value,
        "impacts": [asdict(one) for one in step.impacts],
        "lint": [asdict(one) for one in step.findings],
        "sql": list(step.preview.statements),
        "not_shown_because": step.preview.refusal,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
