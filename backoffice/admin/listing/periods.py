"""Periods that have a name."""

from __future__ import annotations

from datetime import date, timedelta


def period(name: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a named period."""
    first_of_month = today.replace(day=1)
    match name:
        case "today":
            return today, today
        case "last-7-days":
            return today - timedelta(days=6), today
        case "this-month":
            return first_of_month, today
        case _:
            last = first_of_month - timedelta(days=1)
            return last.replace(day=1), last
