"""Emptying a database between tests whose commits are real."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.db import Base, db
from backoffice.models import Category


def empty_tables() -> None:
    """Delete every row; SQLite wants categories deleted before their parents."""
    parents = sa.select(Category.parent_id).where(Category.parent_id.is_not(None))
    leaves = sa.delete(Category).where(Category.id.not_in(parents))
    with db.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            while table is Category.__table__ and connection.execute(leaves).rowcount:
                pass
            connection.execute(table.delete())
