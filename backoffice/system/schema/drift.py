"""Where the database is not what models and migrations say, and what an index build left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection

from backoffice.system.schema.catalogue import Catalogue, Difference, compare, kept, read_catalogue
from backoffice.system.schema.history import has_history, is_ours

_LEFTOVERS = sa.text("""
    SELECT 'index', indexrelid::regclass::text, indrelid::regclass::text,
        CASE WHEN c.relname ~ '_ccnew[0-9]*$|_ccold[0-9]*$'
             THEN format('DROP INDEX CONCURRENTLY %s;', indexrelid::regclass)
             ELSE format('REINDEX INDEX CONCURRENTLY %s;', indexrelid::regclass) END
    FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid
    WHERE NOT indisvalid AND c.relkind = 'i'
    UNION ALL
    SELECT 'constraint', conname, conrelid::regclass::text,
        format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', conrelid::regclass, conname)
    FROM pg_constraint WHERE NOT convalidated AND conrelid <> 0
    ORDER BY 3, 2
""")


@dataclass(frozen=True, slots=True)
class Leftover:
    """An index or constraint that does not count yet, and the statement that mends it."""

    kind: str
    name: str
    table: str
    mend: str


def read_leftovers(connection: Connection) -> tuple[Leftover, ...]:
    """Return the invalid indexes and constraints; SQLite has none."""
    if connection.dialect.name == "sqlite":
        return ()
    return tuple(Leftover(*row) for row in connection.execute(_LEFTOVERS))


def read_drift(connection: Connection, metadata: sa.MetaData | None) -> tuple[Difference, ...]:
    """Return what differs from the models (unless None) and from what the migrations left.

    What both tell is told once, in the words of the catalogue, which has whole definitions.
    """
    catalogue = read_catalogue(connection)
    left = kept(connection) if has_history(connection) else None
    models = () if metadata is None else _against_models(connection, metadata, catalogue)
    tables = {one.table for one in models if one.kind in ("column", "table")}
    by_hand = {
        _key(one): one
        for one in (() if left is None else compare(left, catalogue))
        # SQLite's catalogue has a table's definition as a whole.
        if one.kind != "table" or one.verdict != "different" or one.table not in tables
    }
    told = {_key(one): one for one in models} | by_hand
    return tuple(told[key] for key in sorted(told))


def _key(one: Difference) -> tuple[str, str, str]:
    return one.table, one.kind, one.name


# What was found out last: the same models and the same catalogue differ in the same way.
_compared: list[tuple[sa.MetaData, Catalogue, tuple[Difference, ...]]] = []


def _against_models(
    connection: Connection, metadata: sa.MetaData, catalogue: Catalogue
) -> tuple[Difference, ...]:
    for models, seen, differences in tuple(_compared):
        if models is metadata and seen == catalogue:
            return differences
    found = tuple(set(_compare_models(connection, metadata)))
    _compared[:] = [(metadata, catalogue, found)]
    return found


def _compare_models(connection: Connection, metadata: sa.MetaData) -> Iterator[Difference]:
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "target_metadata": metadata, "include_name": is_ours},
    )
    for found in compare_metadata(context, metadata):
        if isinstance(found, list):
            yield from (_changed_column(one) for one in found)
        else:
            yield _object(found)


def _changed_column(found: Any) -> Difference:
    """Return a difference of a column: `modify_type` and its like."""
    what, _, table, column, _, existing, wanted = found
    name = what.removeprefix("modify_").replace("_", " ")
    return Difference(table, "column", column, f"{name} {wanted}", f"{name} {existing}")


def _object(found: Any) -> Difference:
    """Return a difference of a whole object: what is to be added is missing."""
    verb, _, kind = found[0].partition("_")
    kind = {"fk": "constraint"}.get(kind, kind)
    thing = found[-1]
    if kind == "column":
        table, text = found[2], f"{thing.type}"
    elif kind == "table":
        table, text = thing.name, "table"
    else:
        owner = getattr(thing, "table", None)
        table, text = "" if owner is None else owner.name, _columns(thing)
    name = str(getattr(thing, "name", None) or "unnamed")
    return Difference(table, kind, name, *((text, None) if verb == "add" else (None, text)))


def _columns(thing: Any) -> str:
    columns = getattr(thing, "columns", None)
    if columns is None:
        return type(thing).__name__
    return ", ".join(str(column.name) for column in columns)
