"""Writing rows in bulk, with ids that continue where a table ends."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Base

Row = dict[str, Any]


class Loader:
    """Hands out ids and writes rows, in the caller's transaction.

    Ids are given here and not by the database, so that both databases get the same ones.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def next_id(self, name: str) -> int:
        """Return the next id of the table."""
        key = self.peek_id(name)
        self._next[name] = key + 1
        return key

    def peek_id(self, name: str) -> int:
        """Return the id that next_id() will give."""
        if name not in self._next:
            column = Base.metadata.tables[name].c.id
            self._next[name] = (self._session.scalar(sa.select(sa.func.max(column))) or 0) + 1
            self.first[name] = self._next[name]
        return self._next[name]

    def write(self, name: str, rows: list[Row]) -> None:
        """Insert the rows, whose ids came from next_id()."""
        if rows:
            self._session.connection().execute(sa.insert(Base.metadata.tables[name]), rows)
            self.counts[name] = self.counts.get(name, 0) + len(rows)

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Return the first and the last id written, by table."""
        return {
            name: (first, self._next[name] - 1)
            for name, first in self.first.items()
            if self.counts.get(name)
        }

    def finish(self) -> None:
        """Let PostgreSQL continue after the last id; it does not see ids that are given to it."""
        if self._session.connection().dialect.name != "postgresql":
            return
        for name, (_first, last) in self.ranges().items():
            sequence = sa.func.pg_get_serial_sequence(name, "id")
            reached = sa.func.greatest(last, sa.func.nextval(sequence) - 1)
            self._session.execute(sa.select(sa.func.setval(sequence, reached)))
