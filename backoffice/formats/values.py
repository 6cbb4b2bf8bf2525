"""Reading numbers, dates and texts as people and programs write them into files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")
LARGEST_NUMBER = Decimal(10) ** 15
EARLIEST_YEAR = 1970
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WHOLE_AS_FLOAT = re.compile(r"[0-9]+\.0+")


class LineError(Exception):
    """A line that cannot be used: `kind` is what is counted, `detail` names the value."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail or kind


class Memo(dict[str, T], Generic[T]):
    """Parsed values by their text, since files repeat themselves; bounded, errors are not kept."""

    def __init__(self, parse: Callable[[str], T], limit: int = 50_000) -> None:
        super().__init__()
        self._parse = parse
        self._limit = limit

    def __missing__(self, text: str) -> T:
        value = self._parse(text)
        if len(self) >= self._limit:
            self.clear()
        self[text] = value
        return value


def shown(text: str) -> str:
    """Return the value for a message, shortened."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a file writes numbers; `thousands` may be empty."""

    decimal: str = "."
    thousands: str = ""

    def parser(self, name: str) -> Callable[[str], Decimal]:
        """Return a function from text to a finite number, which raises LineError."""
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = f"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
        pattern = re.compile(
            f"[+-]?(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,2}})?"
        )

        def parse(text: str) -> Decimal:
            stripped = text.strip()
            if not stripped:
                raise LineError(f"{name} is missing")
            if len(stripped) > 60 or not pattern.fullmatch(stripped):
                raise LineError(f"{name} is not a number", f"{name} is not a number: {shown(text)}")
            if self.thousands:
                stripped = stripped.replace(self.thousands, "")
            value = Decimal(stripped.replace(self.decimal, "."))
            if abs(value) >= LARGEST_NUMBER:
                raise LineError(f"{name} is too large", f"{name} is too large: {shown(text)}")
            return value

        return parse


def scaled(value: Decimal, places: int) -> int:
    """Return value × 10^places as a whole number, rounded half up."""
    return int(value.scaleb(places).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def clean_text(name: str, longest: int) -> Callable[[str], str | None]:
    """Return a function that trims a text; blank is None; raises LineError when it does not fit."""

    def parse(text: str) -> str | None:
        stripped = text.strip()
        if len(stripped) > longest:
            raise LineError(
                f"{name} is too long",
                f"{name} is longer than {longest} characters: {shown(stripped)}",
            )
        if _CONTROL.search(stripped):
            raise LineError(
                f"{name} holds control characters",
                f"{name} holds control characters: {shown(stripped)}",
            )
        return stripped or None

    return parse


def without_float_ending(text: str) -> str:
    """Return `17850` for the `17850.0` that spreadsheets make of a whole number."""
    return text.partition(".")[0] if _WHOLE_AS_FLOAT.fullmatch(text) else text


class Moment(NamedTuple):
    """A moment as databases write it: the time in UTC, and the day in the shop's zone."""

    at: str
    day: str


def moment_parser(
    name: str, form: str, zone: ZoneInfo, latest: datetime
) -> Callable[[str], Moment]:
    """Return a function from text to a moment between 1970 and `latest`; raises LineError.

    A time without a zone is the shop's; where clocks go back, the first of the two hours is meant.
    """

    def parse(text: str) -> Moment:
        stripped = text.strip()
        if not stripped:
            raise LineError(f"{name} is missing")
        try:
            local = datetime.strptime(stripped, form)  # noqa: DTZ007  the zone follows
        except ValueError:
            kind = f"{name} is not a date"
            raise LineError(kind, f"{kind} of the form {form}: {shown(text)}") from None
        if not EARLIEST_YEAR <= local.year <= latest.year:
            raise LineError(f"{name} is out of range", f"{name} is out of range: {shown(text)}")
        local = local.astimezone(zone) if local.tzinfo else local.replace(tzinfo=zone)
        if local > latest:
            raise LineError(f"{name} is in the future", f"{name} is in the future: {shown(text)}")
        at = local.astimezone(UTC).replace(tzinfo=None)
        return Moment(at.isoformat(" ", "microseconds"), local.date().isoformat())

    return parse


def fitting_format(samples: Iterable[str], forms: tuple[str, ...]) -> str:
    """Return the first of the date formats that reads every sample, else that which reads most."""
    texts = [text.strip() for text in samples if text.strip()]
    return max(
        forms, key=lambda form: (sum(_reads(text, form) for text in texts), -forms.index(form))
    )


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  only whether it can be read
    except ValueError:
        return False
    return True


def known_directives(form: str) -> bool:
    """Whether strptime knows every directive of the format, and a whole date is among them."""
    try:
        first = datetime(2001, 2, 3, 16, 5, 6, tzinfo=UTC)
        return datetime.strptime(first.strftime(form), form).date() == first.date()  # noqa: DTZ007
    except ValueError:
        return False
