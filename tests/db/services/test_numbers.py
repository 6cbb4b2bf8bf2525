"""Numbers rise, pass by those that are taken, and are given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.db import db, transaction
from backoffice.services.numbers import ORDER_NUMBERS, REFUND_NUMBERS, next_number
from tests.factories import make_order


def order_number(session: Session) -> int:
    return int(next_number(session, ORDER_NUMBERS))


def test_numbers_rise_each_series_by_itself(session: Session) -> None:
    first = order_number(session)

    assert first > 1_000_000
    assert [order_number(session) for _ in range(2)] == [first + 1, first + 2]
    assert next_number(session, REFUND_NUMBERS) == "R100001"
    assert next_number(session, REFUND_NUMBERS) == "R100002"


def test_a_number_that_was_taken_back_leaves_a_gap_at_most(session: Session) -> None:
    with transaction() as inner:
        first = order_number(inner)
    with pytest.raises(RuntimeError), transaction() as inner:
        order_number(inner)
        raise RuntimeError
    with transaction() as inner:
        assert order_number(inner) in (first + 1, first + 2)


def test_imported_numbers_ahead_are_passed_by_in_growing_steps(session: Session) -> None:
    last = order_number(session)
    for number in range(last + 1, last + 21):
        make_order(session, number=str(number))

    # The next one, then 2, 4, 8 and 16 further.
    assert order_number(session) == last + 31
    assert order_number(session) == last + 32


def test_many_at_once_get_different_numbers(app: Flask, committed: Session) -> None:
    def take(_number: int) -> str:
        with app.app_context(), transaction() as session:
            return next_number(session, ORDER_NUMBERS)

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(int(number) for number in pool.map(take, range(40)))

    assert numbers == list(range(numbers[0], numbers[0] + 40))


def test_nobody_waits_for_the_number_of_an_order_that_is_being_placed(
    app: Flask, committed: Session
) -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with app.app_context(), transaction() as first:
        taken = order_number(first)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(_take_apart, app).result(10)

    assert other == taken + 1


def _take_apart(app: Flask) -> int:
    with app.app_context(), transaction() as session:
        return order_number(session)
