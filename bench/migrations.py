"""How long the migration page takes with very many revisions, next to what Alembic needs alone.

    python bench/migrations.py [--database-url URL] [--revisions 500] [--rounds 20]

The page finds out more (sizes, locks, lint, drift, history) and keeps it for ten seconds, the files
until one of them changes. Three figures of it: the first page of a process, a page that finds
everything out again, and one that shows what is kept. Beside them Alembic's own work for one
answer: loading the files, the revision in the database, and the comparison with the models.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from scratch import options, shop, signed_in

from backoffice.admin.migrations import MigrationsPage
from backoffice.db import Base, db
from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts
from backoffice.system.schema.history import is_ours

LIMIT_MS = 150
PENDING = 3
_STEP = '''"""Step {number} of very many

Create Date: 2026-11-20 12:00:00+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = "{after}"


def upgrade():
    {body}


def downgrade():
    op.execute("SELECT 1")
'''


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--revisions", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, shop(given.database_url, given.orders) as app:
        folder = Path(scratch) / "migrations"
        _write(folder, given.revisions)
        app.extensions["migrate"].directory = str(folder)
        upgrade(directory=str(folder), revision=f"s{given.revisions - PENDING - 1:04}")
        return _measure(app, folder, given.rounds)


def _write(folder: Path, count: int) -> None:
    """Add steps to a copy of the migrations until there are `count`; the last change a table."""
    shutil.copytree(MIGRATIONS_DIR, folder, ignore=shutil.ignore_patterns("__pycache__"))
    known = list(load_scripts().walk_revisions())
    after = known[0].revision
    for number in range(len(known), count):
        waits = number >= count - PENDING
        body = f'op.add_column("orders", sa.Column("c{number}", sa.Integer()))'
        text = _STEP.format(
            number=number, id=f"s{number:04}", after=after,
            body=body if waits else 'op.execute("SELECT 1")',
        )  # fmt: skip
        (folder / "versions" / f"20990101_s{number:04}.py").write_text(text, "utf-8")
        after = f"s{number:04}"


def _measure(app: Flask, folder: Path, rounds: int) -> int:
    client = signed_in(app)
    views = app.extensions["admin"][0]._views  # noqa: SLF001  there is no public name for it
    [page] = [view for view in views if isinstance(view, MigrationsPage)]

    def ask() -> None:
        answer = client.get("/admin/migrations/")
        if answer.status_code != 200 or "Pending" not in answer.text:
            raise SystemExit(f"The page was answered with {answer.status_code}.")

    def ask_anew() -> None:
        page.kept = None
        ask()

    print(f"{'first page of a process':36}{_milliseconds(ask):8.0f} ms")
    behind = _median(f"{PENDING} pending, found out anew", ask_anew, rounds)
    _median("the same, as kept", ask, rounds)
    upgrade(directory=str(folder))
    at_head = _median("at head with drift, found out anew", ask_anew, rounds)
    _median("Alembic alone, without a page", lambda: _alembic_alone(folder), max(3, rounds // 4))
    held = max(behind, at_head) <= LIMIT_MS
    print(f"limit {LIMIT_MS} ms: {'held' if held else 'BROKEN'}")
    return 0 if held else 1


def _median(name: str, work: Callable[[], None], rounds: int) -> float:
    found = [_milliseconds(work) for _ in range(rounds)]
    print(f"{name:36}{statistics.median(found):8.0f} ms  (worst {max(found):.0f})")
    return statistics.median(found)


def _alembic_alone(folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        list(scripts.iterate_revisions(tuple(scripts.get_heads()), context.get_current_heads()))
        compare_metadata(context, Base.metadata)


def _milliseconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    sys.exit(main())
