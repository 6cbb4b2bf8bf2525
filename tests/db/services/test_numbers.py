"""Numbers rise, pass by those that are taken, and are given once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.db import transaction
from backoffice.services.numbers import ORDER_NUMBERS, REFUND_NUMBERS, next_number
from tests.factories import make_order


def test_numbers_rise_each_series_by_itself(session: Session) -> None:
    assert [next_number(session, ORDER_NUMBERS) for _ in range(3)] == [
        "1000001",
        "1000002",
        "1000003",
    ]
    assert next_number(session, REFUND_NUMBERS) == "R100001"


def test_a_number_that_was_taken_back_leaves_a_gap_at_most(session: Session) -> None:
    with transaction() as inner:
        assert next_number(inner, ORDER_NUMBERS) == "1000001"
    with pytest.raises(RuntimeError), transaction() as inner:
        next_number(inner, ORDER_NUMBERS)
        raise RuntimeError
    with transaction() as inner:
        assert next_number(inner, ORDER_NUMBERS) == "1000002"


def test_imported_numbers_ahead_are_passed_by_in_growing_steps(session: Session) -> None:
    for number in range(1_000_001, 1_000_021):
        make_order(session, number=str(number))

    # 1000001, then 2, 4, 8 and 16 further.
    assert next_number(session, ORDER_NUMBERS) == "1000031"
    assert next_number(session, ORDER_NUMBERS) == "1000032"


def test_many_at_once_get_different_numbers(app: Flask, committed: Session) -> None:
    def take(_number: int) -> str:
        with app.app_context(), transaction() as session:
            return next_number(session, ORDER_NUMBERS)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(take, range(40)))

    assert sorted(numbers) == [str(1_000_001 + index) for index in range(40)]
