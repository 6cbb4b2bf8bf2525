"""Numbers, dates and texts: what is read, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from backoffice.formats.values import (
    LineError,
    Memo,
    Moment,
    NumberFormat,
    clean_text,
    fitting_format,
    moment_parser,
    scaled,
    without_float_ending,
)

ISO = "%Y-%m-%d %H:%M:%S"
LATEST = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        (" 2.55 ", NumberFormat(), "2.55"),
        ("-12", NumberFormat(), "-12"),
        (".5", NumberFormat(), "0.5"),
        ("1e-3", NumberFormat(), "0.001"),
        ("2,55", NumberFormat(","), "2.55"),
        ("1.234,5", NumberFormat(",", "."), "1234.5"),
        ("1,234,567.5", NumberFormat(".", ","), "1234567.5"),
        ("1234.5", NumberFormat(".", ","), "1234.5"),
    ],
)
def test_a_number_is_read_as_the_file_writes_it(text: str, form: NumberFormat, value: str) -> None:
    assert form.parser("Price")(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "Price is missing"),
        ("  ", "Price is missing"),
        ("abc", "Price is not a number"),
        ("2,55", "Price is not a number"),
        ("1,234", "Price is not a number"),
        ("NaN", "Price is not a number"),
        ("inf", "Price is not a number"),
        ("-Infinity", "Price is not a number"),
        ("0x10", "Price is not a number"),
        ("1_000", "Price is not a number"),
        ("٣", "Price is not a number"),
        ("1e15", "Price is too large"),
        ("9" * 59, "Price is too large"),
        ("9" * 5000, "Price is not a number"),
    ],
)
def test_what_is_no_number_is_refused(text: str, kind: str) -> None:
    with pytest.raises(LineError) as caught:
        NumberFormat().parser("Price")(text)
    assert caught.value.kind == kind


@pytest.mark.parametrize("text", ["1.23", "12.34,5", "1.2345"])
def test_a_group_of_thousands_has_three_digits(text: str) -> None:
    with pytest.raises(LineError):
        NumberFormat(",", ".").parser("Price")(text)


def test_whole_units_are_rounded_half_up() -> None:
    assert [scaled(Decimal(text), 4) for text in ("2.55", "0.00005", "0.00004")] == [25500, 1, 0]


def read_moment(text: str, form: str = ISO, zone: str = "Europe/London") -> Moment:
    return moment_parser("Date", form, ZoneInfo(zone), LATEST)(text)


def test_the_time_of_a_file_is_the_shops_and_the_day_too() -> None:
    assert read_moment("2011-07-01 00:30:00") == ("2011-06-30 23:30:00.000000", "2011-07-01")
    assert read_moment("2010-12-31 20:00:00", zone="America/New_York") == (
        "2011-01-01 01:00:00.000000",
        "2010-12-31",
    )


def test_a_time_with_a_zone_of_its_own_keeps_it() -> None:
    moment = read_moment("2011-12-31 23:30:00 -0500", f"{ISO} %z")

    assert moment == ("2012-01-01 04:30:00.000000", "2012-01-01")


def test_of_the_hour_that_comes_twice_the_first_is_meant() -> None:
    assert read_moment("2011-10-30 01:30:00").at == "2011-10-30 00:30:00.000000"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "Date is missing"),
        ("yesterday", "Date is not a date"),
        ("2011-02-30 00:00:00", "Date is not a date"),
        ("01/02/2011", "Date is not a date"),
        ("0001-01-01 00:00:00", "Date is out of range"),
        ("1969-12-31 23:59:59", "Date is out of range"),
        ("9999-12-31 23:59:59", "Date is out of range"),
        ("2026-11-22 00:00:00", "Date is in the future"),
    ],
)
def test_dates_outside_history_are_refused(text: str, kind: str) -> None:
    with pytest.raises(LineError) as caught:
        read_moment(text)
    assert caught.value.kind == kind


def test_the_first_format_that_reads_every_sample_is_chosen() -> None:
    forms = ("%d/%m/%Y", "%m/%d/%Y")

    assert fitting_format(["1/2/2011", "3/4/2011"], forms) == "%d/%m/%Y"
    assert fitting_format(["1/2/2011", "12/31/2011", "", "nonsense"], forms) == "%m/%d/%Y"
    assert fitting_format([], forms) == "%d/%m/%Y"


def test_texts_are_trimmed_and_blank_is_nothing() -> None:
    clean = clean_text("Name", 5)

    assert (clean("  tea "), clean("   ")) == ("tea", None)
    for text, kind in (("coffee", "Name is too long"), ("a\0b", "Name holds control characters")):
        with pytest.raises(LineError) as caught:
            clean(text)
        assert caught.value.kind == kind


def test_a_whole_number_loses_the_ending_of_a_float() -> None:
    texts = ("17850.0", "17850.00", "17850", "17850.5", "v1.0")

    assert [without_float_ending(text) for text in texts] == [
        "17850",
        "17850",
        "17850",
        "17850.5",
        "v1.0",
    ]


def test_a_memo_is_bounded_and_keeps_no_errors() -> None:
    calls: list[str] = []

    def parse(text: str) -> int:
        calls.append(text)
        return int(text)

    memo = Memo(parse, limit=2)
    assert [memo[text] for text in "1123"] == [1, 1, 2, 3]
    assert calls == ["1", "2", "3"]
    assert len(memo) == 1
    with pytest.raises(ValueError, match="invalid literal"):
        memo["x"]
    assert "x" not in memo
