"""From what a person typed to the values that a report is run with."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backoffice.errors import InputError
from backoffice.reports.spec import Param, ParamType, Report

Value = date | int | str

_RELATIVE = re.compile(
    r"(?P<base>today|first-of-month|first-of-next-month)(?:(?P<count>[+-]\d{1,3})(?P<unit>[dm]))?"
)
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class ShopContext:
    """What defaults depend on: the day it is in the shop's zone, and the shop's currency."""

    today: date
    currency: str

    @classmethod
    def now(cls, zone: str, currency: str) -> ShopContext:
        """Return the context of this moment; `zone` is a name of the tz database."""
        return cls(datetime.now(ZoneInfo(zone)).date(), currency)


class ParameterError(InputError):
    """One or more parameters cannot be used; `by_name` has a sentence for each."""

    def __init__(self, by_name: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in by_name.items()))
        self.by_name = dict(by_name)


def fill_in(report: Report, given: Mapping[str, str], shop: ShopContext) -> dict[str, str]:
    """Return the text of every parameter: as given, else its default in plain form."""
    return {
        name: given[name].strip() if name in given else default_text(param, shop)
        for name, param in report.params.items()
    }


def read_parameters(
    report: Report, given: Mapping[str, str], shop: ShopContext
) -> dict[str, Value]:
    """Return the typed values; raises ParameterError with every mistake at once."""
    values: dict[str, Value] = {}
    mistakes: dict[str, str] = {}
    for name, text in fill_in(report, given, shop).items():
        try:
            values[name] = _READERS[report.params[name].type](report.params[name], text)
        except ValueError as error:
            mistakes[name] = str(error)
    mistakes |= _out_of_order(report, values)
    if mistakes:
        raise ParameterError(mistakes)
    return values


def default_text(param: Param, shop: ShopContext) -> str:
    """Return the default as a person would have typed it."""
    if param.type is ParamType.DATE and (match := _RELATIVE.fullmatch(param.default)):
        return _relative_day(match, shop.today).isoformat()
    if param.type is ParamType.CURRENCY and param.default == "shop":
        return shop.currency
    return param.default


def _relative_day(match: re.Match[str], today: date) -> date:
    day = today if match["base"] == "today" else today.replace(day=1)
    if match["base"] == "first-of-next-month":
        day = _add_months(day, 1)
    count = int(match["count"] or 0)
    return day + timedelta(days=count) if match["unit"] == "d" else _add_months(day, count)


def _add_months(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _out_of_order(report: Report, values: Mapping[str, Value]) -> dict[str, str]:
    mistakes = {}
    for name, param in report.params.items():
        earlier, later = values.get(param.after or ""), values.get(name)
        if isinstance(earlier, date) and isinstance(later, date) and later <= earlier:
            label = report.params[param.after or ""].label
            mistakes[name] = f"Choose a day after “{label}” ({earlier.isoformat()})."
    return mistakes


def _read_date(_param: Param, text: str) -> Value:
    # fromisoformat alone also takes 20101201 and 2010-W48-3.
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("Enter a day as 2026-01-31.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"There is no day {text}.") from None
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"Choose a day between {EARLIEST} and {LATEST}.")
    return day


def _read_enum(param: Param, text: str) -> Value:
    if text not in param.choices:
        raise ValueError(f"Choose one of {', '.join(param.choices)}.")
    return text


def _read_integer(param: Param, text: str) -> Value:
    if not re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII):
        raise ValueError("Enter a whole number.")
    number = int(text)
    if param.minimum is not None and number < param.minimum:
        raise ValueError(f"Enter {param.minimum} or more.")
    if param.maximum is not None and number > param.maximum:
        raise ValueError(f"Enter {param.maximum} or less.")
    return number


def _read_text(_param: Param, text: str) -> Value:
    if len(text) > _LONGEST_TEXT or "\0" in text:
        raise ValueError(f"Enter at most {_LONGEST_TEXT} characters of plain text.")
    return text


def _read_currency(_param: Param, text: str) -> Value:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError("Enter a currency by its three letters, such as GBP.")
    return text.upper()


_READERS = {
    ParamType.DATE: _read_date,
    ParamType.ENUM: _read_enum,
    ParamType.INTEGER: _read_integer,
    ParamType.TEXT: _read_text,
    ParamType.CURRENCY: _read_currency,
}
