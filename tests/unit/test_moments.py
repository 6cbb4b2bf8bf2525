"""A moment in a form: the viewer's clock, and what happens when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from backoffice.admin import moments
from backoffice.admin.moments import AwareDateTimeField


class MomentForm(Form):
    at = AwareDateTimeField("At", description="When it was.")


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "viewer_zone", lambda: ZoneInfo("Europe/Berlin"))


def sent(text: str, stored: datetime | None = None) -> Any:
    return MomentForm(MultiDict({"at": text}), data={"at": stored})


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-01-15T12:00", datetime(2026, 1, 15, 11, tzinfo=UTC)),
        ("2026-07-15T12:00:30", datetime(2026, 7, 15, 10, 0, 30, tzinfo=UTC)),
        ("2026-03-29T01:59:59", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("2026-03-29T03:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-10-25T01:59", datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T03:00", datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_one_moment(typed: str, moment: datetime) -> None:
    form = sent(typed)

    assert form.validate()
    assert form.at.data == moment
    assert form.at.data.tzinfo is UTC


@pytest.mark.parametrize("typed", ["2026-03-29T02:00", "2026-03-29T02:30", "2026-03-29T02:59:59"])
def test_a_time_that_the_clock_skips_is_refused(typed: str) -> None:
    form = sent(typed)

    assert not form.validate()
    assert form.at.errors == ["The clock skips this time in Europe/Berlin. Choose another."]
    assert form.at.data is None
    assert f'value="{typed}"' in form.at()


def test_of_a_time_that_happens_twice_the_first_is_meant_and_said() -> None:
    form = sent("2026-10-25T02:30")

    assert form.at.description == (
        "When it was. The clock shows this time twice; the first of the two is meant."
    )


@pytest.mark.parametrize("hour", [0, 1])
def test_an_untouched_moment_stays_to_the_microsecond_on_both_sides(hour: int) -> None:
    stored = datetime(2026, 10, 25, hour, 30, 15, 123456, tzinfo=UTC)
    shown = MomentForm(data={"at": stored})

    assert 'value="2026-10-25T02:30:15"' in shown.at()
    assert ("CEST" if hour == 0 else "CET.") in shown.at.description
    form = sent("2026-10-25T02:30:15", stored)
    assert form.validate()
    assert form.at.data == stored
    assert form.at.description == shown.at.description


def test_a_changed_moment_is_read_anew() -> None:
    form = sent("2026-10-25T02:31", datetime(2026, 10, 25, 1, 30, tzinfo=UTC))

    assert form.at.data == datetime(2026, 10, 25, 0, 31, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["yesterday", "2026-02-30T12:00", "0001-01-01T00:00", "12:00"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    form = sent(typed)

    assert not form.validate()
    assert form.at.data is None


def test_an_emptied_field_is_nothing() -> None:
    form = sent("", datetime(2026, 1, 1, tzinfo=UTC))

    assert form.validate()
    assert form.at.data is None
