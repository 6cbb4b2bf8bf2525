"""Every object of the schema with its definition, as the database's own catalogue tells it.

The migrator keeps what it left behind; whatever differs later was not done by a migration. That
shows what models cannot: views, functions, triggers, grants, defaults, the text of a CHECK.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from backoffice.system.schema.history import HISTORY, MIGRATOR_TABLES

# What it belongs to (a table, or the object itself), its kind, its name.
Key = tuple[str, str, str]
Catalogue = dict[Key, str]

_SQLITE = """
    SELECT tbl_name, type, name, sql FROM sqlite_master
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite@_%' ESCAPE '@'
"""
_POSTGRESQL = """
    WITH here AS (
        SELECT c.oid, c.relname, c.relkind, c.relacl, c.relrowsecurity
        FROM pg_class AS c
        WHERE c.relnamespace = to_regnamespace(current_schema())
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))
    SELECT relname, 'table', relname, CASE WHEN relrowsecurity THEN 'row security' ELSE '' END
    FROM here WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT relname, 'column', attname, format_type(atttypid, atttypmod)
        || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
        || CASE WHEN attidentity <> '' THEN ' IDENTITY' ELSE '' END
        || coalesce(CASE WHEN attgenerated = '' THEN ' DEFAULT ' ELSE ' GENERATED ' END
                    || pg_get_expr(adbin, adrelid), '')
    FROM here JOIN pg_attribute ON attrelid = here.oid
    LEFT JOIN pg_attrdef ON adrelid = here.oid AND adnum = attnum
    WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT relname, 'constraint', conname, replace(pg_get_constraintdef(k.oid), ' NOT VALID', '')
    FROM here JOIN pg_constraint AS k ON conrelid = here.oid WHERE contype NOT IN ('n', 't')
    UNION ALL
    SELECT relname, 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM here JOIN pg_index ON indrelid = here.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
    UNION ALL
    SELECT relname, 'trigger', tgname, pg_get_triggerdef(t.oid)
        || CASE WHEN tgenabled = 'O' THEN '' ELSE ' (' || tgenabled::text || ')' END
    FROM here JOIN pg_trigger AS t ON tgrelid = here.oid WHERE NOT tgisinternal
    UNION ALL
    SELECT relname, 'policy', polname, concat_ws(' ', polcmd::text, polroles::text,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM here JOIN pg_policy ON polrelid = here.oid
    UNION ALL
    SELECT relname, 'view', relname, pg_get_viewdef(here.oid)
    FROM here WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT relname, 'sequence', relname, concat_ws(' ', format_type(seqtypid, NULL),
        'start', seqstart, 'step', seqincrement, 'from', seqmin, 'to', seqmax,
        CASE WHEN seqcycle THEN 'cycle' END)
    FROM here JOIN pg_sequence ON seqrelid = here.oid
    UNION ALL
    SELECT relname, 'grants', relname, relacl::text FROM here
    WHERE relacl IS NOT NULL AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT proname, 'function', proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        pg_get_functiondef(p.oid)
    FROM pg_proc AS p
    WHERE pronamespace = to_regnamespace(current_schema()) AND prokind IN ('f', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT typname, 'type', typname,
        (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder)
         FROM pg_enum WHERE enumtypid = t.oid)
    FROM pg_type AS t
    WHERE typnamespace = to_regnamespace(current_schema()) AND typtype = 'e'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    UNION ALL
    SELECT extname, 'extension', extname, '' FROM pg_extension
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of a table that is not as expected; None stands for what is not there."""

    table: str
    kind: str
    name: str
    expected: str | None
    found: str | None

    @property
    def verdict(self) -> str:
        """What is the matter, in a word."""
        if self.expected is None:
            return "extra"
        return "missing" if self.found is None else "different"


def read_catalogue(connection: Connection) -> Catalogue:
    """Return every object of the current schema; reads only."""
    query = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
    rows = connection.execute(sa.text(query))
    return {
        (table, kind, name): definition
        for table, kind, name, definition in rows
        if table not in MIGRATOR_TABLES and not name.startswith("schema_history")
    }


def expected_after(expected: Catalogue | None, before: Catalogue, after: Catalogue) -> Catalogue:
    """Return what a run leaves behind: its own changes, and not what was changed by hand before."""
    if expected is None:
        return after
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    kept = {key: text for key, text in expected.items() if key not in changed}
    return kept | {key: after[key] for key in changed if key in after}


def keep(connection: Connection, catalogue: Catalogue) -> None:
    """Keep what a run left behind with its last step; the caller commits."""
    last = sa.select(sa.func.max(HISTORY.c.id)).scalar_subquery()
    objects = [[*key, text] for key, text in sorted(catalogue.items())]
    connection.execute(HISTORY.update().where(HISTORY.c.id == last).values(catalogue=objects))


def kept(connection: Connection) -> Catalogue | None:
    """Return what the last run left behind, None if no run has kept it."""
    objects = connection.scalar(
        sa.select(HISTORY.c.catalogue)
        .where(HISTORY.c.catalogue.is_not(sa.null()))
        .order_by(HISTORY.c.id.desc())
        .limit(1)
    )
    if objects is None:
        return None
    return {(table, kind, name): text for table, kind, name, text in objects}


def compare(expected: Mapping[Key, str], found: Mapping[Key, str]) -> list[Difference]:
    """Return what differs, in the order of the tables; of a whole table only the table itself."""
    keys = sorted(
        key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)
    )
    whole = {
        table for table, kind, _ in keys if kind == "table" and _is_whole(table, expected, found)
    }
    return [
        Difference(*key, expected.get(key), found.get(key))
        for key in keys
        if key[0] not in whole or key[1] == "table"
    ]


def _is_whole(table: str, *sides: Iterable[Key]) -> bool:
    """Whether the table is on one side only."""
    return sum((table, "table", table) in side for side in sides) == 1
