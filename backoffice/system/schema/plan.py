"""What the next upgrade would do, step by step, and what that means for the tables today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from alembic.script import Script
from sqlalchemy.engine import Connection

from backoffice.system.examination import Outcome
from backoffice.system.migrations import Revision
from backoffice.system.schema.effects import Effect, effects_of
from backoffice.system.schema.lint import Finding, does_nothing, lint
from backoffice.system.schema.preview import Preview, preview
from backoffice.system.schema.sizes import Impact, judge, read_sizes


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A migration that waits; the worst impact comes first."""

    revision: Revision
    preview: Preview
    impacts: tuple[Impact, ...]
    findings: tuple[Finding, ...]
    is_reversible: bool

    @property
    def lock(self) -> str:
        """The strongest lock it takes on a table that is there."""
        return self.impacts[0].lock if self.impacts else "NONE"

    @property
    def outcome(self) -> Outcome:
        """The worst that it does to anybody."""
        found = {impact.outcome for impact in self.impacts}
        return next((bad for bad in (Outcome.FAIL, Outcome.WARN) if bad in found), Outcome.PASS)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a revision's file says, whatever the database."""

    preview: Preview
    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]


# Files are read anew when they change, and then come as other scripts.
_known: WeakKeyDictionary[Script, dict[str, _Read]] = WeakKeyDictionary()


def make_plan(
    connection: Connection, pending: Iterable[tuple[Revision, Script]]
) -> tuple[PlannedStep, ...]:
    """Return the steps in their order; reads the sizes of the tables met, and writes nothing."""
    dialect = connection.dialect.name
    steps = [(revision, script, _read(script, dialect)) for revision, script in pending]
    names = {effect.table for _, _, read in steps for effect in read.effects if effect.table}
    sizes = read_sizes(connection, names)
    return tuple(
        PlannedStep(
            revision,
            read.preview,
            # An index and its table are told as one.
            tuple(dict.fromkeys(judge(effect, sizes, dialect) for effect in read.effects)),
            read.findings,
            not does_nothing(script),
        )
        for revision, script, read in steps
    )


def _read(script: Script, dialect: str) -> _Read:
    known = _known.setdefault(script, {})
    if dialect not in known:
        # Batch mode shows no SQL on SQLite, but touches the same tables.
        statements = preview(script, "postgresql").statements
        known[dialect] = _Read(preview(script, dialect), effects_of(statements), lint(script))
    return known[dialect]
