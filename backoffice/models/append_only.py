"""Tables whose rows are history: added, never changed, never deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import UtcDateTime, utc_now

APPEND_ONLY = "append_only"

_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';
END $$
"""
_ON_POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_change()
"""
_ON_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""


class Acted:
    """Who did it and when; `actor_id` is None for the command line and for the shop itself.

    Whoever is named here is deactivated and never deleted.
    """

    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    actor_name: Mapped[str] = mapped_column(String(150))
    created_at: Mapped[UtcDateTime] = mapped_column(default=utc_now)


def append_only(table: Table) -> None:
    """Let the database refuse UPDATE and DELETE of every row of the table, by a trigger."""
    table.info[APPEND_ONLY] = True

    @event.listens_for(table, "after_create")
    def created(_table: Table, connection: Connection, **_options: Any) -> None:
        for statement in _statements(table.name, connection.dialect.name):
            connection.exec_driver_sql(statement)


def _statements(table: str, dialect: str) -> list[str]:
    if dialect == "postgresql":
        return [_FUNCTION, _ON_POSTGRESQL.format(table=table)]
    return [_ON_SQLITE.format(table=table, verb=verb) for verb in ("update", "delete")]
