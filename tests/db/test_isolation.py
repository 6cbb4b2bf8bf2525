"""The ground that the other tests stand on."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import transaction
from backoffice.models import Product, Tag
from tests.factories import count, make_product, make_tag


@pytest.mark.parametrize("_run", [1, 2])
def test_what_one_test_commits_the_next_does_not_see(session: Session, _run: int) -> None:
    with transaction() as inner:
        inner.add(Tag(name="one"))

    assert count(session, Tag) == 1


@pytest.mark.parametrize("_run", [1, 2])
def test_real_commits_are_cleaned_up(committed: Session, _run: int) -> None:
    make_tag(committed, "one")

    assert count(committed, Tag) == 1


def test_a_transaction_rolls_back_whole(session: Session) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as inner:
        inner.add(Tag(name="lost"))
        inner.flush()
        1 / 0  # noqa: B018

    assert count(session, Tag) == 0


def test_a_transaction_does_not_nest(session: Session) -> None:
    with transaction(), pytest.raises(RuntimeError, match="does not nest"), transaction():
        pass


def test_money_comes_back_exact(session: Session) -> None:
    make_product(session, sku="EXACT", price=Decimal("0.1"))
    session.expire_all()

    assert session.scalars(sa.select(Product.price)).one() == Decimal("0.1000")
