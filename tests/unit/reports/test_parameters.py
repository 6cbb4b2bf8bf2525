"""What a person typed becomes typed values, or a sentence beside the field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backoffice.reports.parameters import (
    ParameterError,
    ShopContext,
    default_text,
    read_parameters,
)
from backoffice.reports.spec import Param, Report

SHOP = ShopContext(today=date(2026, 3, 31), currency="EUR")


def report(**params: dict[str, Any]) -> Report:
    return Report.model_validate(
        {
            "title": "T",
            "group": "G",
            "description": "D",
            "params": {name: {"label": name.title()} | param for name, param in params.items()},
            "columns": {"a": {"label": "A"}},
            "slug": "t",
            "statements": {"": "SELECT 1 AS a"},
        }
    )


DAY = {"type": "date", "default": "today"}
REPORT = report(
    start=DAY,
    stop=DAY | {"default": "today+1d", "after": "start"},
    who={"type": "enum", "default": "all", "choices": {"all": "All", "some": "Some"}},
    limit={"type": "integer", "default": "10", "minimum": 1, "maximum": 50},
    words={"type": "text", "default": ""},
    currency={"type": "currency", "default": "shop"},
)


def test_what_is_not_given_has_its_default() -> None:
    assert read_parameters(REPORT, {}, SHOP) == {
        "start": date(2026, 3, 31),
        "stop": date(2026, 4, 1),
        "who": "all",
        "limit": 10,
        "words": "",
        "currency": "EUR",
    }


def test_what_is_given_is_typed() -> None:
    given = {"start": " 2024-02-29 ", "who": "some", "limit": "3", "currency": "usd", "other": "1"}

    values = read_parameters(REPORT, given, SHOP)

    assert values["start"] == date(2024, 2, 29)
    assert (values["who"], values["limit"], values["currency"]) == ("some", 3, "USD")
    assert "other" not in values


@pytest.mark.parametrize(
    ("default", "day"),
    [
        ("today", "2026-03-31"),
        ("today-30d", "2026-03-01"),
        ("today-1m", "2026-02-28"),
        ("today-12m", "2025-03-31"),
        ("first-of-month", "2026-03-01"),
        ("first-of-month-12m", "2025-03-01"),
        ("first-of-next-month", "2026-04-01"),
        ("2010-12-01", "2010-12-01"),
    ],
)
def test_a_date_may_begin_relative_to_the_shops_day(default: str, day: str) -> None:
    param = Param.model_validate({"type": "date", "label": "Day", "default": default})

    assert default_text(param, SHOP) == day


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("start", "", "Enter a day as 2026-01-31."),
        ("start", "31.01.2026", "Enter a day as 2026-01-31."),
        ("start", "20260131", "Enter a day as 2026-01-31."),
        ("start", "2026-02-30", "There is no day 2026-02-30."),
        ("start", "0001-01-01", "Choose a day between 1970-01-01 and 2999-12-31."),
        ("stop", "2026-03-31", "Choose a day after “Start” (2026-03-31)."),
        ("who", "All", "Choose one of all, some."),
        ("limit", "ten", "Enter a whole number."),
        ("limit", "1.5", "Enter a whole number."),
        ("limit", "٣", "Enter a whole number."),
        ("limit", "0", "Enter 1 or more."),
        ("limit", "51", "Enter 50 or less."),
        ("words", "x" * 201, "Enter at most 200 characters of plain text."),
        ("words", "a\0b", "Enter at most 200 characters of plain text."),
        ("currency", "pounds", "Enter a currency by its three letters, such as GBP."),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_name(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_parameters(REPORT, {name: text}, SHOP)

    assert caught.value.by_name == {name: sentence}


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        read_parameters(REPORT, {"limit": "0", "who": "x"}, SHOP)

    assert set(caught.value.by_name) == {"limit", "who"}
