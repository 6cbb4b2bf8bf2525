"""The whole inspection: the checks, the process, and the database group by group."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from backoffice.errors import UnavailableError
from backoffice.system.backups.settings import BackupSettings
from backoffice.system.examination import Examination, Health, run_checks
from backoffice.system.health import CHECKS, STARTED_AT
from backoffice.system.inspection.groups import POSTGRESQL, SQLITE
from backoffice.system.inspection.reading import Advice, Reading, Row, read_groups


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found at one moment; without a database, only the process."""

    health: Health
    readings: tuple[Reading, ...]

    @property
    def advice(self) -> list[Advice]:
        """All of it, what is worst first."""
        said = [advice for reading in self.readings for advice in reading.advice]
        return sorted(said, key=lambda advice: advice.outcome.value)


def inspect_installation(
    engine: Engine,
    *,
    redis_url: str = "",
    reports_url: str = "",
    backups: BackupSettings | None = None,
) -> Inspection:
    """Run the checks and read the groups on one short read-only connection; writes nothing."""
    with Examination(engine, redis_url=redis_url, reports_url=reports_url, backups=backups) as look:
        health = run_checks(look, CHECKS)
        try:
            groups = SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL
            found = read_groups(look.connection(), groups)
        except UnavailableError:
            found = ()
    return Inspection(health, (*_process(engine), *found))


def _process(engine: Engine) -> list[Reading]:
    usage = shutil.disk_usage(tempfile.gettempdir())
    process: Row = {
        "pid": os.getpid(),
        "workers": _workers(),
        "started_at": STARTED_AT,
        "memory_bytes": _memory(),
        "threads": threading.active_count(),
        "temporary_files_free_bytes": usage.free,
    }
    readings = [Reading("process", "This process", ({k: v for k, v in process.items() if v},))]
    pool = engine.pool
    if isinstance(pool, QueuePool):
        figures: Row = {
            "in_use": pool.checkedout(),
            "idle": pool.checkedin(),
            "kept": pool.size(),
            "most": pool.size() + pool._max_overflow,  # noqa: SLF001  there is no public name
            "patience_seconds": pool.timeout(),
        }
        readings.append(Reading("pool", "Its pool of connections", (figures,)))
    if journal := _journal(engine):
        readings.append(Reading("journal", "Journal", ({"size_bytes": journal},)))
    return readings


def _workers() -> int | None:
    """Return how many processes the parent runs: under gunicorn, its workers."""
    try:
        parent = os.getppid()
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return None
    return len(children.split())


def _memory() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _journal(engine: Engine) -> int:
    """Return the size of SQLite's write-ahead log, in bytes; 0 without one."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return 0
    journal = Path(f"{engine.url.database}-wal")
    return journal.stat().st_size if journal.is_file() else 0
