"""What can be done to many records at once, as expressions that one statement works with.

An action says what a record has, what it would have, and why not; `bulk_plans` does the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from backoffice.access import Actor, Permission
from backoffice.db import Base, ExactNumeric, utc_now
from backoffice.models import BulkPlan, BulkPlanRow

Options = dict[str, Any]
Row = BulkPlanRow


@dataclass(frozen=True, slots=True)
class Sealed:
    """SQL over a record: its value now and then, as the log tells it; keys where it is a relation.

    `blocked` is the reason why not, `warning` what to mind; both are NULL where there is none.
    """

    before: Any
    after: Any
    before_key: Any = field(default_factory=sa.null)
    after_key: Any = field(default_factory=sa.null)
    blocked: Any = field(default_factory=sa.null)
    warning: Any = field(default_factory=sa.null)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a plan that are being written, in one transaction; `rows` selects them."""

    session: Session
    actor: Actor
    plan: BulkPlan
    change_set_id: int
    rows: Any
    is_undo: bool

    @property
    def keys(self) -> sa.Select[Any]:
        """The keys of the records."""
        return sa.select(Row.record_id).where(self.rows)

    @property
    def values(self) -> tuple[Any, Any]:
        """What they have and what they get, as text."""
        return (Row.after, Row.before) if self.is_undo else (Row.before, Row.after)

    def run(self, statement: Any) -> None:
        """Execute a statement that no loaded object has to know of."""
        self.session.execute(statement, execution_options={"synchronize_session": False})


@dataclass(frozen=True, kw_only=True)
class BulkAction(ABC):
    """One thing to do to many records of `model`; `name` stands in the URL and in the log.

    `at_once` is how many are written in one transaction, where that is to be fewer than usual.
    """

    name: str
    label: str
    model: Any
    permission: Permission
    wants_reason: bool = False
    can_be_undone: bool = True
    at_once: int | None = None

    @property
    @abstractmethod
    def field(self) -> str:
        """The column or relation that is changed."""

    @abstractmethod
    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return what it would do; raise InputError for options that make no sense."""

    @abstractmethod
    def write(self, chunk: Chunk) -> None:
        """Give the records of a chunk what they are to have."""

    def words(self, options: Options) -> str:
        """Return in words what it was asked for."""
        return str(options.get("label", ""))

    def stands(self, _options: Options) -> Any:
        """Return SQL: whether a record still has what the plan row `Row` gave it."""
        return sa.false()

    def stuck(self, _options: Options) -> Any:
        """Return SQL: why what a record had before cannot come back; NULL where it can."""
        return sa.null()

    def require(self, session: Session, options: Options) -> None:
        """Raise RuleViolationError when what the action needs is no more."""
        return

    def log(self, chunk: Chunk) -> None:
        """Tell the change log: one statement."""
        old, new = chunk.values
        columns = ["change_set_id", "record_id", "field", "old_value", "new_value"]
        told = sa.select(
            sa.literal(chunk.change_set_id), Row.record_id, sa.literal(self.field), old, new
        )
        chunk.run(insert_into("changes", columns, told.where(chunk.rows)))

    def touch(self, **values: Any) -> sa.Update:
        """Return an UPDATE of the model that moves versions on, for the caller to narrow."""
        moved = {"version": self.model.version + 1, "updated_at": utc_now()}
        return sa.update(self.model).values(**moved, **values)


@dataclass(frozen=True, kw_only=True)
class SetValue(BulkAction):
    """Sets a plain column to `value`."""

    column: Any
    value: Any = None

    @property
    def field(self) -> str:
        """The column."""
        return str(self.column.key)

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the column now and the value."""
        return Sealed(told(self.column), told(sa.literal(self.value, self.column.type)))

    def write(self, chunk: Chunk) -> None:
        """Set the column to what the plan says, not to what it would be by now."""
        new = typed(chunk.values[1], self.column.type)
        statement = self.touch(**{self.field: new}, **self.along(chunk))
        chunk.run(statement.where(self.model.id == Row.record_id, chunk.rows))
        self.afterwards(chunk)

    def along(self, _chunk: Chunk) -> dict[str, Any]:
        """Return what else of the record changes."""
        return {}

    def afterwards(self, _chunk: Chunk) -> None:
        """Do what belongs to it in other tables."""

    def stands(self, options: Options) -> Any:
        """Whether the column is still what it became."""
        return told(self.column).is_not_distinct_from(Row.after)


def insert_into(table: str, columns: list[str], rows: sa.Select[Any]) -> sa.Insert:
    """Return INSERT … SELECT."""
    return sa.insert(Base.metadata.tables[table]).from_select(columns, rows)


class _Fixed(FunctionElement[str]):
    """A number as text with four decimal places, the same on both databases."""

    type = sa.Text()
    inherit_cache = True


@compiles(_Fixed, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(CAST({compiler.process(element.clauses, **options)} AS NUMERIC(38, 4)) AS TEXT)"


@compiles(_Fixed, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"printf('%.4f', {compiler.process(element.clauses, **options)})"


def told(value: Any) -> Any:
    """Return SQL of a column's value as the change log keeps it; TypeError for other types."""
    match value.type:
        case sa.Boolean():
            yes, no = value.is_(sa.true()), value.is_(sa.false())
            return sa.case((yes, sa.literal("True")), (no, sa.literal("False")))
        case ExactNumeric(scale=4):
            return sa.case((value.is_not(None), _Fixed(value)))
        case _:
            raise TypeError(f"{value.type!r} cannot be set in bulk.")


def typed(text: Any, kind: Any) -> Any:
    """Return SQL of the value that `told` made a text of."""
    return text == "True" if isinstance(kind, sa.Boolean) else sa.cast(text, kind)
