"""How large the tables are that a migration meets, and what its locks mean for them today."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from backoffice.system.examination import Outcome
from backoffice.system.schema.effects import Effect, Lock, Work

_MEGABYTE = 1024 * 1024
# Cautious rates: what an ordinary disk does while it serves others.
_RATES = {Work.READS: 100 * _MEGABYTE, Work.REWRITES: 20 * _MEGABYTE}
_SIZES = sa.text(
    "SELECT named.relname, stands.relname, stands.reltuples, pg_total_relation_size(stands.oid)"
    " FROM pg_class AS named LEFT JOIN pg_index ON indexrelid = named.oid"
    " JOIN pg_class AS stands ON stands.oid = coalesce(indrelid, named.oid)"
    " WHERE named.relname = ANY(:names)"
    " AND named.relnamespace = to_regnamespace(current_schema())"
)


@dataclass(frozen=True, slots=True)
class Size:
    """A table, its rows by the database's own estimate (None: never counted), and its bytes."""

    table: str
    rows: int | None
    bytes: int | None

    @property
    def sentence(self) -> str:
        """How large it is."""
        taken = None if self.bytes is None else _bytes(self.bytes)
        if self.rows is None:
            return f"Its rows were never counted; it takes {taken}."
        rows = f"about {self.rows:,} rows" if self.rows else "no rows"
        return f"It has {rows}, {taken}." if taken else f"It has {rows}."


@dataclass(frozen=True, slots=True)
class Impact:
    """What a migration does to the people who use one table now."""

    table: str
    lock: str
    outcome: Outcome
    sentence: str


def read_sizes(connection: Connection, names: Collection[str]) -> dict[str, Size]:
    """Return the sizes by the name asked for; an index stands for its table."""
    if not names:
        return {}
    if connection.dialect.name == "sqlite":
        return _sqlite_sizes(connection, names)
    rows = connection.execute(_SIZES, {"names": sorted(names)})
    return {
        name: Size(table, round(estimate) if estimate >= 0 else None, size)
        for name, table, estimate, size in rows
    }


def _sqlite_sizes(connection: Connection, names: Collection[str]) -> dict[str, Size]:
    """Return the largest row numbers: counting would read every row."""
    there = set(sa.inspect(connection).get_table_names())
    return {
        name: Size(name, connection.scalar(_largest(name)) or 0, None)
        for name in sorted(there & set(names))
    }


def _largest(name: str) -> sa.Select[Any]:
    return sa.select(sa.func.max(sa.literal_column("rowid"))).select_from(sa.table(name))


def judge(effect: Effect, sizes: Mapping[str, Size], dialect: str) -> Impact:
    """Say what an effect means for a table of this size."""
    size = sizes.get(effect.table)
    table = size.table if size else effect.table
    if dialect == "sqlite":
        sentence = "Nobody else can write to the database until the whole upgrade is done."
        return Impact(table, "WRITE", Outcome.PASS, _with_size(sentence, size))
    if effect.lock is Lock.UNKNOWN:
        return Impact(
            table, "UNKNOWN", Outcome.WARN, "What it locks is not known: read the statement."
        )
    outcome, sentence = _sentence(effect, table, size)
    return Impact(table, effect.lock.title, outcome, sentence)


def _sentence(effect: Effect, table: str, size: Size | None) -> tuple[Outcome, str]:
    if effect.work is Work.ROWS:
        sentence = f"The rows of {table} that it changes cannot be written until it is done."
        many = size is not None and (size.rows is None or size.rows > 100_000)
        return Outcome.WARN if many else Outcome.PASS, _with_size(sentence, size)
    if effect.lock <= Lock.SHARE_UPDATE_EXCLUSIVE:
        return Outcome.PASS, _with_size(f"Reading and writing {table} go on.", size)
    closed = "read or write" if effect.lock is Lock.ACCESS_EXCLUSIVE else "write"
    if effect.work is Work.INSTANT:
        return Outcome.PASS, _with_size(f"Nobody can {closed} {table} for an instant.", size)
    seconds = (size.bytes or 0) / _RATES[effect.work] if size else 0.0
    doing = "it is written anew" if effect.work is Work.REWRITES else "all of it is read"
    sentence = f"Nobody can {closed} {table} while {doing}: {_duration(seconds)}."
    outcome = Outcome.FAIL if seconds >= 10 else Outcome.WARN if seconds >= 1 else Outcome.PASS
    return outcome, _with_size(sentence, size)


def _with_size(sentence: str, size: Size | None) -> str:
    if size is None:
        return sentence
    return f"{sentence} {size.sentence}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"about {seconds:.0f} seconds"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.0f} hours"


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("GB ends the loop")
