"""Taking data out of the house: who took what is in the change log before the first row leaves."""

from __future__ import annotations

from collections.abc import Sequence

from backoffice.access import Actor, Permission
from backoffice.db import transaction
from backoffice.services import audit


def record_export(
    actor: Actor,
    table: str,
    *,
    form: str,
    columns: Sequence[str],
    query: str,
    row_count: int,
    is_cut: bool,
) -> None:
    """Log an export that is about to begin, in a transaction of its own.

    `row_count` is what the snapshot holds; a download that breaks off has taken fewer.
    """
    actor.require(Permission.DATA_EXPORT)
    details = {
        "format": form,
        "columns": list(columns),
        "query": query,
        "rows": row_count,
        "cut": is_cut,
    }
    with transaction() as session:
        change_set = audit.record(session, actor, f"export.{table}", details=details)
        change_set.table_name = table
