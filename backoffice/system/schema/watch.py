"""Whether there may be writes now, known to every page without asking the database."""

from __future__ import annotations

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from backoffice.errors import UnavailableError
from backoffice.system.examination import Examination
from backoffice.system.kept import Kept
from backoffice.system.maintenance import Notice, read_notice
from backoffice.system.migrations import SchemaStatus, read_schema

WATCH_SECONDS = 5
DIFFERS = (
    "The console is being updated: its database and its code do not belong together yet. "
    "You can read, but nothing is saved until that is done."
)


class SchemaWatch:
    """The schema's state, and maintenance, at most five seconds ago, over a connection of its own.

    While the database does not answer, the last known state stands: a migration that holds its
    locks must not make the schema look sound.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # A database in memory is another one for each connection: there is nothing to watch.
        is_shared = engine.url.get_backend_name() != "sqlite" or engine.url.database not in (
            None,
            "",
            ":memory:",
        )
        self._last: tuple[SchemaStatus | None, Notice | None] = (None, None)
        self._kept = Kept(self._read if is_shared else lambda: self._last, WATCH_SECONDS)

    def trouble(self) -> SchemaStatus | None:
        """Return the state if the code must not write to it; None when all is well or unknown."""
        status, _notice = self._kept.get()
        return None if status is None or status.is_at_head else status

    def maintenance(self) -> Notice | None:
        """Return the maintenance that is going on."""
        _status, notice = self._kept.get()
        return None if notice is None or notice.is_over else notice

    def forget(self) -> None:
        """Look again the next time."""
        self._kept.forget()

    def _read(self) -> tuple[SchemaStatus | None, Notice | None]:
        try:
            with Examination(self._engine) as look:
                connection = look.connection()
                self._last = (read_schema(connection), read_notice(connection))
        except (UnavailableError, DBAPIError):
            pass
        return self._last
