"""Rows of history can be added, and neither changed nor deleted: the database sees to it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.cleaning import HISTORY
from tests.factories import (
    count,
    make_order,
    make_order_event,
    make_price_change,
    make_product,
    move_stock,
)

Make = Callable[[Session], Any]
MAKERS: dict[str, Make] = {
    "order_events": lambda session: make_order_event(session, make_order(session)),
    "price_changes": lambda session: make_price_change(session, make_product(session), Decimal(7)),
    "stock_movements": lambda session: move_stock(session, make_product(session), 3),
}


def test_these_tables_are_history() -> None:
    assert {table.name for table in HISTORY} == set(MAKERS)


@pytest.mark.parametrize("table", sorted(MAKERS))
@pytest.mark.parametrize("statement", ["UPDATE {} SET actor_name = 'me'", "DELETE FROM {}"])
def test_history_is_neither_changed_nor_deleted(
    session: Session, table: str, statement: str
) -> None:
    row = MAKERS[table](session)
    model = type(row)

    with pytest.raises(IntegrityError, match=f"{table} is append-only"):
        session.execute(sa.text(statement.format(table)))
    session.rollback()

    assert session.scalars(sa.select(model.actor_name)).all() == ["tester"]


@pytest.mark.parametrize("table", sorted(MAKERS))
def test_not_through_the_session_either(session: Session, table: str) -> None:
    row = MAKERS[table](session)

    session.delete(row)
    with pytest.raises(IntegrityError, match="append-only"):
        session.commit()
    session.rollback()

    assert count(session, type(row)) == 1
