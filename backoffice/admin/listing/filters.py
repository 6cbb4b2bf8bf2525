"""Filters: AND across fields, OR within one, each with readable keys in the URL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from backoffice.admin.listing.columns import largest_int
from backoffice.admin.listing.periods import period
from backoffice.errors import InputError

Values = Mapping[str, Sequence[str]]
_MANY = 50


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom the list is: days are theirs."""

    zone: ZoneInfo
    today: date


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a filter as it was asked for: its key and value in the URL, and its words."""

    key: str
    value: str
    words: str
    condition: Any


class Filter(ABC):
    """What can be asked of one field; `suffixes` are its keys in the URL behind the name."""

    suffixes: ClassVar[tuple[str, ...]] = ("",)
    template = "text"

    def __init__(self, name: str, label: str, attribute: Any, *, is_nullable: bool = False) -> None:
        self.name = name
        self.label = label
        self.attribute = attribute
        self.is_nullable = is_nullable

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the URL that belong to this filter."""
        empty = (f"{self.name}.empty",) if self.is_nullable else ()
        return tuple(f"{self.name}{suffix}" for suffix in self.suffixes) + empty

    def terms(self, values: Values, viewer: Viewer) -> list[Term]:
        """Return what was asked; raise InputError for a value that makes no sense."""
        found = [
            self.term(key, value, viewer)
            for key in self.keys
            if not key.endswith(".empty")
            for value in values.get(key, ())[:_MANY]
            if value != ""
        ]
        if self.is_nullable:
            found.extend(
                self._empty(value) for value in values.get(f"{self.name}.empty", ()) if value
            )
        return found

    def _empty(self, value: str) -> Term:
        is_empty = yes_or_no(self.label, value)
        words = f"{self.label}: {'empty' if is_empty else 'not empty'}"
        condition = self.attribute.is_(None) if is_empty else self.attribute.is_not(None)
        return Term(f"{self.name}.empty", value, words, condition)

    @abstractmethod
    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return one term; raise InputError for a value that makes no sense."""

    def holds(self, key: Any) -> Any:
        """Return the condition of the rows that belong to the record with this key."""
        return self.attribute == key

    def combine(self, terms: Sequence[Term]) -> Any:
        """Return the condition of all terms of this field: any of them will do."""
        return sa.or_(*(term.condition for term in terms))


class ChoiceFilter(Filter):
    """One or several of the values of an enum."""

    template = "choice"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The values to choose from, with their words."""
        return [(item.value, item.value) for item in self.attribute.type.enum_class]

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term of one value."""
        if value not in dict(self.choices):
            raise InputError(f"{self.label}: there is no {value[:40]!r}.")
        member = self.attribute.type.enum_class(value)
        return Term(key, value, f"{self.label}: {value}", self.attribute == member)


class YesNoFilter(Filter):
    """A flag that is set or not."""

    template = "choice"
    choices = [("yes", "yes"), ("no", "no")]

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term."""
        is_set = yes_or_no(self.label, value)
        return Term(key, value, f"{self.label}: {value}", self.attribute.is_(is_set))


class NamedFilter(YesNoFilter):
    """A condition with a name, for what no single column says."""

    def __init__(self, name: str, label: str, condition: Any) -> None:
        super().__init__(name, label, condition)

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term."""
        holds = yes_or_no(self.label, value)
        condition = self.attribute if holds else sa.not_(self.attribute)
        return Term(key, value, f"{self.label}: {value}", condition)


class ExactFilter(Filter):
    """Text that is exactly this."""

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term."""
        return Term(key, value, f"{self.label}: {value}", self.attribute == value)


class TextFilter(ExactFilter):
    """Text that is exactly this, or contains it."""

    suffixes = ("", ".contains")

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term."""
        if key.endswith(".contains"):
            condition = contains(self.attribute, value)
            return Term(key, value, f"{self.label} contains {value}", condition)
        return super().term(key, value, viewer)


class RangeFilter(Filter):
    """Bounds, both included: what is asked of both must hold."""

    suffixes: ClassVar[tuple[str, ...]] = (".min", ".max")
    template = "range"
    input_type = "text"

    def combine(self, terms: Sequence[Term]) -> Any:
        """Return the condition of both bounds, or of what is empty."""
        empty = [term.condition for term in terms if term.key.endswith(".empty")]
        bounds = [term.condition for term in terms if not term.key.endswith(".empty")]
        return sa.or_(*empty, sa.and_(*bounds)) if bounds else sa.or_(*empty)


class NumberFilter(RangeFilter):
    """A number between two others, or exactly one."""

    suffixes = ("", ".min", ".max")

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term of one bound."""
        number = self._number(value)
        if key == self.name:
            return Term(key, value, f"{self.label}: {value}", self.attribute == number)
        if key.endswith(".min"):
            return Term(key, value, f"{self.label} ≥ {value}", self.attribute >= number)
        return Term(key, value, f"{self.label} ≤ {value}", self.attribute <= number)

    def _number(self, value: str) -> Decimal | int:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        is_whole = self.attribute.type.python_type is int
        most = min(10**12 - 1, largest_int(self.attribute)) if is_whole else 10**12 - 1
        if not number.is_finite() or abs(number) > most:
            raise InputError(f"{self.label}: {value[:40]!r} is not a number that can occur here.")
        return int(number) if is_whole else number


class DayFilter(RangeFilter):
    """Days, both included; those of a moment are days in the viewer's zone."""

    suffixes = ("", ".from", ".to")
    template = "days"
    input_type = "date"
    presets = [
        ("today", "Today"),
        ("last-7-days", "Last 7 days"),
        ("this-month", "This month"),
        ("last-month", "Last month"),
    ]

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term of one bound, or of a named period."""
        if key == self.name:
            if value not in dict(self.presets):
                raise InputError(f"{self.label}: there is no period {value[:40]!r}.")
            first, last = period(value, viewer.today)
            condition = sa.and_(self._from(first, viewer), self._to(last, viewer))
            return Term(key, value, f"{self.label}: {dict(self.presets)[value].lower()}", condition)
        day = self._day(value)
        if key.endswith(".from"):
            return Term(key, value, f"{self.label} from {value}", self._from(day, viewer))
        return Term(key, value, f"{self.label} to {value}", self._to(day, viewer))

    def _day(self, value: str) -> date:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = date.min
        if not 1900 <= day.year <= 2999:
            raise InputError(f"{self.label}: {value[:40]!r} is no day. Write it as 2026-01-31.")
        return day

    def _from(self, day: date, viewer: Viewer) -> Any:
        return self.attribute >= self._start(day, viewer)

    def _to(self, day: date, viewer: Viewer) -> Any:
        return self.attribute < self._start(day + timedelta(days=1), viewer)

    def _start(self, day: date, viewer: Viewer) -> date | datetime:
        if self.attribute.type.python_type is datetime:
            return datetime.combine(day, time(), viewer.zone)
        return day


class RelationFilter(Filter):
    """One or several rows of another table, by their keys; `.find` only looks for such rows."""

    template = "relation"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the URL that belong to this filter."""
        return (*super().keys, f"{self.name}.find")

    def terms(self, values: Values, viewer: Viewer) -> list[Term]:
        """Return what was asked; to look for rows asks nothing yet."""
        return super().terms({**values, f"{self.name}.find": ()}, viewer)

    def term(self, key: str, value: str, viewer: Viewer) -> Term:
        """Return the term of one row."""
        if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) < 2**63):
            raise InputError(f"{self.label}: {value[:40]!r} is no key.")
        return Term(key, value, f"{self.label}: #{value}", self.holds(int(value)))


def contains(attribute: Any, text: str) -> Any:
    """Return the condition that a column has the text somewhere, in any case.

    ILIKE on the column as it is: that is what an index of trigrams answers.
    """
    return attribute.ilike(f"%{_escaped(text)}%", escape="\\")


def matches(attribute: Any, word: str) -> Any:
    """Return the condition that a column answers a word of a search.

    An address is looked for from its beginning: the trigrams of its ending are in all the others.
    """
    if attribute.key == "email" and "@" in word[1:]:
        return attribute.like(f"{_escaped(word.lower())}%", escape="\\")
    return contains(attribute, word)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def yes_or_no(label: str, value: str) -> bool:
    """Return the truth of "yes" or "no"; raise InputError for anything else."""
    if value not in ("yes", "no"):
        raise InputError(f"{label}: say yes or no.")
    return value == "yes"
