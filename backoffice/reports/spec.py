"""What a report is: the header of its file, as types."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backoffice.access import Actor, Permission, Role
from backoffice.errors import NotFoundError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class _Header(BaseModel):
    """A part of the header: unknown keys are mistakes, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParamType(StrEnum):
    """What a parameter may hold."""

    DATE = "date"
    ENUM = "enum"
    INTEGER = "integer"
    TEXT = "text"
    CURRENCY = "currency"


class Param(_Header):
    """A value that the person chooses; `default` is text, read like the person's own input.

    A date's default may be `today`, `first-of-month` or `first-of-next-month`, each with `-12m`
    or `+1d` behind it; a currency's default may be `shop`.
    """

    type: ParamType
    label: str
    help: str = ""
    default: str
    choices: dict[str, str] = {}
    minimum: int | None = None
    maximum: int | None = None
    after: Name | None = None

    @model_validator(mode="after")
    def _choices_belong_to_enums(self) -> Self:
        if (self.type is ParamType.ENUM) != bool(self.choices):
            raise ValueError("an enum has choices, and nothing else has")
        return self


class ColumnFormat(StrEnum):
    """How a column is read and shown."""

    TEXT = "text"
    INTEGER = "integer"
    MONEY = "money"
    MONTH = "month"
    DATE = "date"

    @property
    def is_number(self) -> bool:
        """Whether the column is right-aligned and can be added up."""
        return self in (ColumnFormat.INTEGER, ColumnFormat.MONEY)


class Column(_Header):
    """A column of the result; `total` only where rows may be added up.

    A `personal` one tells who a customer is: for those who need not know, its values are numbered
    instead. What stands in parentheses are the report's own words, and stays.
    `record` names the list whose record the cell leads to, by the row's column `id`: the page does
    not show that one, files have it.
    """

    label: str
    format: ColumnFormat = ColumnFormat.TEXT
    total: bool = False
    personal: bool = False
    record: Name | None = None

    @model_validator(mode="after")
    def _only_numbers_add_up(self) -> Self:
        if self.total and not self.format.is_number:
            raise ValueError("only a number can have a total")
        return self


class Chart(_Header):
    """The picture beside the table: `x`, `y` and `only` name columns; the table stays the truth.

    Rows in which `only` is empty are not drawn: a remainder would dwarf what is compared.
    """

    type: Literal["bar", "line", "area"]
    x: Name
    y: Name
    only: Name | None = None
    rows: int = Field(30, ge=1, description="More rows than this are not drawn.")


class Limits(_Header):
    """What a run may take at most."""

    rows: int = Field(5000, ge=1, le=100_000)
    timeout_s: int = Field(10, ge=1, le=120)


class Header(_Header):
    """The header of a report's file."""

    title: str
    group: str
    description: str
    empty: str = "Nothing was sold in this period. Choose a longer one."
    roles: tuple[Role, ...] = ()
    params: dict[Name, Param] = {}
    columns: dict[Name, Column] = Field(min_length=1)
    chart: Chart | None = None
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _names_that_are_used_exist(self) -> Self:
        for name in (self.chart.x, self.chart.y, self.chart.only) if self.chart else ():
            if name is not None and name not in self.columns:
                raise ValueError(f"the chart uses the column {name}, which is not declared")
        for name, param in self.params.items():
            if param.after is not None and param.after not in self.params:
                raise ValueError(f"{name} is after {param.after}, which is not declared")
        if self.records and "id" not in self.columns:
            raise ValueError("a column leads to records, and there is no column id")
        return self

    @property
    def records(self) -> set[str]:
        """The lists whose records cells lead to, by the column `id`."""
        return {column.record for column in self.columns.values() if column.record}


class Report(Header):
    """A report as its files say it.

    `slug` is the name of the file, in the URL and on the command line; `statements` holds the
    SELECT by dialect, the portable one under the empty name.
    """

    slug: Name
    statements: dict[str, str]

    def statement(self, dialect: str) -> str:
        """Return the SELECT for the dialect: its own where there is one, else the portable one."""
        return self.statements.get(dialect) or self.statements[""]

    def require_reader(self, actor: Actor) -> None:
        """Raise PermissionDeniedError or NotFoundError unless the actor may run this report."""
        actor.require(Permission.REPORT_READ)
        if not self.is_for(actor):
            raise NotFoundError(f"There is no report {self.slug}.")

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor's role may run it; the command line has no role and may."""
        return actor.can(Permission.REPORT_READ) and (
            not self.roles or actor.role is None or actor.role in self.roles
        )
