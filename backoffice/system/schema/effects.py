"""What a statement of a migration locks, and how much of the table it touches, on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Lock(IntEnum):
    """PostgreSQL's table locks, from the one that hinders nobody to the one that hinders all."""

    NONE = 0
    ROW_EXCLUSIVE = 1
    SHARE_UPDATE_EXCLUSIVE = 2
    SHARE = 3
    SHARE_ROW_EXCLUSIVE = 4
    ACCESS_EXCLUSIVE = 5
    UNKNOWN = 6

    @property
    def title(self) -> str:
        """The lock as PostgreSQL's manual writes it."""
        return self.name.replace("_", " ")


class Work(IntEnum):
    """How much of the table is touched while the lock is held."""

    INSTANT = 0
    ROWS = 1
    READS = 2
    REWRITES = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Effect:
    """What one statement does to one table (or index) that is there before the migration."""

    table: str
    lock: Lock
    work: Work


_NAME = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)'
_ONLY = r"(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"
# What locks no table, and a function, view or type that nobody has waited for.
_NOTHING = re.compile(
    r"(BEGIN|COMMIT|SET|SELECT|COMMENT|GRANT|REVOKE)\b|--|(CREATE|DROP|ALTER) (OR REPLACE )?"
    r"(FUNCTION|PROCEDURE|VIEW|TYPE|DOMAIN|SEQUENCE|EXTENSION)\b",
    re.I,
)
_CREATE_TABLE = re.compile(rf"CREATE (?:UNLOGGED )?TABLE {_ONLY}{_NAME}", re.I)
_CREATE_INDEX = re.compile(
    rf"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(?:{_NAME} )?ON {_ONLY}{_NAME}",
    re.I,
)
_DROP_INDEX = re.compile(rf"DROP INDEX (CONCURRENTLY )?{_ONLY}{_NAME}", re.I)
_ALTER_TABLE = re.compile(rf"ALTER TABLE {_ONLY}{_NAME} (.*)", re.I)
_REFERENCES = re.compile(rf"\bREFERENCES {_NAME}", re.I)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_VOLATILE = r"(?:random|clock_timestamp|timeofday|gen_random_uuid|uuid_generate_\w+|nextval)\s*\("
_OPENINGS: tuple[tuple[str, Lock, Work], ...] = (
    (r"CREATE (?:OR REPLACE )?TRIGGER .* ON", Lock.SHARE_ROW_EXCLUSIVE, Work.INSTANT),
    (r"DROP TRIGGER .* ON", Lock.ACCESS_EXCLUSIVE, Work.INSTANT),
    (r"DROP TABLE", Lock.ACCESS_EXCLUSIVE, Work.INSTANT),
    (r"TRUNCATE(?: TABLE)?", Lock.ACCESS_EXCLUSIVE, Work.INSTANT),
    (r"UPDATE", Lock.ROW_EXCLUSIVE, Work.ROWS),
    (r"DELETE FROM", Lock.ROW_EXCLUSIVE, Work.ROWS),
    (r"INSERT INTO", Lock.ROW_EXCLUSIVE, Work.INSTANT),
)
_SIMPLE = tuple(
    (re.compile(rf"{opening} {_ONLY}{_NAME}", re.I), lock, work)
    for opening, lock, work in _OPENINGS
)
# The first that fits an action of ALTER TABLE; any other is done in an instant.
_WORDS: tuple[tuple[str, Lock, Work], ...] = (
    (r"FOREIGN KEY.*NOT VALID", Lock.SHARE_ROW_EXCLUSIVE, Work.INSTANT),
    (r"ADD CONSTRAINT.*FOREIGN KEY", Lock.SHARE_ROW_EXCLUSIVE, Work.READS),
    (r"ADD CONSTRAINT.*(NOT VALID|USING INDEX)", Lock.ACCESS_EXCLUSIVE, Work.INSTANT),
    (r"ADD CONSTRAINT", Lock.ACCESS_EXCLUSIVE, Work.READS),
    (r"VALIDATE CONSTRAINT", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS),
    (r"ALTER (COLUMN )?\S+ (SET DATA )?TYPE", Lock.ACCESS_EXCLUSIVE, Work.REWRITES),
    (r"SET NOT NULL", Lock.ACCESS_EXCLUSIVE, Work.READS),
    (rf"ADD .*(SERIAL|GENERATED|DEFAULT {_VOLATILE})", Lock.ACCESS_EXCLUSIVE, Work.REWRITES),
    (r"ADD .*(CHECK|REFERENCES|UNIQUE|PRIMARY KEY)", Lock.ACCESS_EXCLUSIVE, Work.READS),
)
_ACTIONS = tuple((re.compile(words, re.I), lock, work) for words, lock, work in _WORDS)


def effects_of(statements: Iterable[str]) -> tuple[Effect, ...]:
    """Return what the statements do to tables that are there already, the worst of each table."""
    made: set[str] = set()
    worst: dict[str, Effect] = {}
    for statement in statements:
        text = _on_one_line(statement)
        if table := _CREATE_TABLE.match(text):
            made.add(_plain(table[1]))
        for found in effects(text):
            if found.table in made:
                continue
            known = worst.get(found.table, found)
            worst[found.table] = Effect(
                found.table, max(known.lock, found.lock), max(known.work, found.work)
            )
    return tuple(sorted(worst.values(), key=lambda one: (-one.lock, -one.work, one.table)))


def effects(statement: str) -> list[Effect]:
    """Return what one statement does; an unknown one is said to be unknown."""
    text = _on_one_line(statement).rstrip(";")
    if not text or _NOTHING.match(text):
        return []
    if ";" in text and "$" not in text:
        return [found for part in text.split(";") for found in effects(part)]
    if _CREATE_TABLE.match(text):
        return _referenced(text)
    if index := _CREATE_INDEX.match(text):
        lock = Lock.SHARE_UPDATE_EXCLUSIVE if index[1] else Lock.SHARE
        return [Effect(_plain(index[3]), lock, Work.READS)]
    if dropped := _DROP_INDEX.match(text):
        lock = Lock.SHARE_UPDATE_EXCLUSIVE if dropped[1] else Lock.ACCESS_EXCLUSIVE
        return [Effect(_plain(dropped[2]), lock, Work.INSTANT)]
    if altered := _ALTER_TABLE.match(text):
        return [_alter(_plain(altered[1]), altered[2]), *_referenced(altered[2])]
    for pattern, lock, work in _SIMPLE:
        if simple := pattern.match(text):
            return [Effect(_plain(simple[1]), lock, work)]
    return [Effect("", Lock.UNKNOWN, Work.UNKNOWN)]


def _on_one_line(statement: str) -> str:
    """Return the statement without line breaks and without what its literals say."""
    return " ".join(_LITERAL.sub("''", statement).split())


def _alter(table: str, actions: str) -> Effect:
    for pattern, lock, work in _ACTIONS:
        if pattern.search(actions):
            return Effect(table, lock, work)
    return Effect(table, Lock.ACCESS_EXCLUSIVE, Work.INSTANT)


def _referenced(text: str) -> list[Effect]:
    """Return what a foreign key does to the tables that it points at."""
    return [
        Effect(_plain(name), Lock.SHARE_ROW_EXCLUSIVE, Work.INSTANT)
        for name in _REFERENCES.findall(text)
    ]


def _plain(name: str) -> str:
    """Return the name of a table without its schema and its quotes."""
    return name.rsplit(".", 1)[-1].strip('"')
