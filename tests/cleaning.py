"""Emptying a database between tests whose commits are real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from backoffice.db import Base, db
from backoffice.models import Category
from backoffice.models.append_only import APPEND_ONLY

HISTORY = [table for table in Base.metadata.sorted_tables if table.info.get(APPEND_ONLY)]


def empty_tables() -> None:
    """Delete every row; SQLite wants categories deleted before their parents."""
    parents = sa.select(Category.parent_id).where(Category.parent_id.is_not(None))
    leaves = sa.delete(Category).where(Category.id.not_in(parents))
    with db.engine.begin() as connection, history_unlocked(connection):
        for table in reversed(Base.metadata.sorted_tables):
            while table is Category.__table__ and connection.execute(leaves).rowcount:
                pass
            connection.execute(table.delete())


@contextmanager
def history_unlocked(connection: Connection) -> Iterator[None]:
    """Take the triggers off the append-only tables that have rows, and put them on again."""
    found = [
        table
        for table in HISTORY
        if connection.scalar(sa.select(sa.func.count()).select_from(table))
    ]
    if connection.dialect.name == "postgresql":
        for table in found:
            connection.execute(sa.text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        yield
        for table in found:
            connection.execute(sa.text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
        return
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    triggers = [row for t in found for row in connection.execute(sa.text(query), {"table": t.name})]
    for name, _sql in triggers:
        connection.execute(sa.text(f"DROP TRIGGER {name}"))
    yield
    for _name, sql in triggers:
        connection.exec_driver_sql(sql)
