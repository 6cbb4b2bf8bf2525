"""Rows that leave the house: the same bytes from both databases, as of one moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backoffice.errors import QueryLimitError, UnavailableError
from backoffice.models import ChangeSet, Order, OrderStatus, Product
from backoffice.reports.connections import open_engine
from backoffice.reports.extraction import Extractor
from tests.factories import make_order, make_product

AT = datetime(2026, 1, 15, 12, 30, 5, 500_000, tzinfo=UTC)
NUMBERS = sa.select(Order.number).order_by(Order.number)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def extractor(engine: Engine) -> Extractor:
    return Extractor(engine, concurrency=1)


@pytest.fixture
def orders(committed: Session) -> list[Order]:
    product = make_product(committed)
    line = (product, 2, Decimal("2.50"))
    return [
        make_order(committed, line, number="A1", email="=cmd@x.org", placed_at=AT),
        make_order(committed, line, number="A2", customer_name='Ann "A", B', country=""),
        make_order(committed, line, number="A3", status=OrderStatus.PENDING, address="-1\r\n'2%s"),
    ]


def csv_of(extractor: Extractor, statement: sa.Select[*tuple[Any, ...]], most: int = 100) -> str:
    with extractor.open(statement, most) as extract:
        return b"".join(extract.csv()).decode()


def test_a_file_is_the_same_from_both_databases(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    statement = sa.select(
        Order.number, Order.email, Order.customer_name, Order.country, Order.address,
        Order.placed_at, Order.paid_on, Order.status, Order.total_amount, Order.version,
    ).order_by(Order.number)  # fmt: skip

    assert csv_of(extractor, statement) == (
        "number,email,customer_name,country,address,placed_at,paid_on,status,total_amount,version\n"
        "A1,'=cmd@x.org,,,,2026-01-15T12:30:05.5Z,2026-01-15,completed,5.00,1\n"
        'A2,,"Ann ""A"", B","",,2026-01-15T12:00:00Z,2026-01-15,completed,5.00,1\n'
        "A3,,,,\"'-1\r\n'2%s\",2026-01-15T12:00:00Z,,pending,5.00,1\n"
    )


def test_flags_and_json_are_the_same_from_both_databases(
    committed: Session, extractor: Extractor
) -> None:
    make_product(committed, sku="S1", is_available=False)
    committed.add(
        ChangeSet(actor_name="x", source="form", action="tag.create", details={"a": ["é", 1]})
    )
    committed.commit()

    assert csv_of(extractor, sa.select(Product.sku, Product.is_available)) == (
        "sku,is_available\nS1,false\n"
    )
    assert csv_of(extractor, sa.select(ChangeSet.details)) == (
        'details\n"{""a"": [""\\u00e9"", 1]}"\n'
    )


@pytest.mark.parametrize(
    "value", ["A1", "x' OR '1'='1", "%", "%s", "%(number)s", "\\", "é", "a;b\n--"]
)
def test_a_value_in_a_condition_is_a_value_and_nothing_else(
    committed: Session, extractor: Extractor, orders: list[Order], value: str
) -> None:
    equal = NUMBERS.where(Order.number == value)
    within = NUMBERS.where(Order.number.in_([value, "A2"]))
    like = NUMBERS.where(Order.number.contains(value, autoescape=True))
    hit = ["A1"] if value == "A1" else []

    assert csv_of(extractor, equal).split() == ["number", *hit]
    assert csv_of(extractor, within).split() == ["number", *hit, "A2"]
    assert csv_of(extractor, like).split() == ["number", *hit]


def test_conditions_of_every_type_are_bound_as_the_list_binds_them(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    statement = NUMBERS.where(
        Order.placed_at == AT,
        Order.status.in_([OrderStatus.COMPLETED, OrderStatus.PAID]),
        Order.total_amount == Decimal("5.00"),
        Order.paid_on == AT.date(),
    )

    assert csv_of(extractor, statement) == "number\nA1\n"


def test_a_file_ends_at_its_limit_and_says_so(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    for most, cut, names in ((2, True, ["A1", "A2"]), (3, False, ["A1", "A2", "A3"])):
        with extractor.open(NUMBERS, most) as extract:
            assert (extract.row_count, extract.is_cut) == (len(names), cut)
            assert [row[0] for row in extract.rows()] == names
        assert csv_of(extractor, NUMBERS, most).split() == ["number", *names]


def test_what_is_written_meanwhile_is_not_in_the_file(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    with extractor.open(NUMBERS, 100) as extract:
        committed.delete(orders[0])
        committed.commit()
        make_order(committed, number="A0")
        lines = b"".join(extract.csv()).decode().split()

    assert lines == ["number", "A1", "A2", "A3"]


def test_nothing_can_be_written_through_it(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    with extractor.open(NUMBERS, 100) as extract, pytest.raises(DBAPIError):
        extract._connection.execute(sa.update(Order).values(country="X"))

    committed.expire_all()
    assert {order.country for order in orders} == {None, ""}


def test_only_so_many_run_at_once_and_a_closed_one_makes_room(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    with extractor.open(NUMBERS, 100) as extract:
        chunks = extract.csv()
        assert next(chunks) is not None
        with (
            pytest.raises(UnavailableError, match="Other exports are running"),
            extractor.open(NUMBERS, 100),
        ):
            pass
        chunks.close()  # type: ignore[attr-defined]

    assert csv_of(extractor, NUMBERS).split() == ["number", "A1", "A2", "A3"]


def test_a_failed_statement_makes_room_as_well(
    committed: Session, extractor: Extractor, orders: list[Order]
) -> None:
    broken = NUMBERS.where(sa.literal_column("nowhere") == 1)

    with pytest.raises(DBAPIError), extractor.open(broken, 100):
        pass

    assert csv_of(extractor, NUMBERS).split() == ["number", "A1", "A2", "A3"]


def test_an_export_that_takes_too_long_is_stopped(
    committed: Session, engine: Engine, orders: list[Order]
) -> None:
    hurried = Extractor(engine, concurrency=1, timeout_s=0.2)
    many = sa.select(sa.literal(1)).cte("n", recursive=True)
    many = many.union_all(sa.select(many.c[0] + 1).where(many.c[0] < 5_000_000))

    with (
        pytest.raises(QueryLimitError, match="longer than it may"),
        hurried.open(sa.select(many.c[0]), 10_000_000),
    ):
        pass
