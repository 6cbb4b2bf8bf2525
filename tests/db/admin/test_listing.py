"""Lists: paging by position, filters in the URL, counts that never block."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.listing import counting, view
from backoffice.models import Order, OrderStatus, Product, Tag, User
from tests.factories import make_order, make_product, make_user
from tests.pages import words

SignIn = Callable[[Role], User]
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def admin(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.ADMIN)


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "PAGE_SIZE", 7)


def links(page: str) -> dict[str, str]:
    """The pager's links by their meaning: first, prev, next, last."""
    found = re.findall(r'rel="(first|prev|next|last)" href="([^"]+)"', page)
    return {rel: html.unescape(address) for rel, address in found}


def ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="row-link" href="[^"]*?id=(\d+)', page)]


def walk(client: FlaskClient, address: str, rel: str) -> list[list[int]]:
    """Follow one of the pager's links to its end; return the ids of each page."""
    pages = []
    for _ in range(100):
        page = client.get(address).text
        pages.append(ids(page))
        if rel not in links(page):
            return pages
        address = links(page)[rel]
    raise AssertionError("The pager goes on for ever.")


def fill_orders(session: Session) -> None:
    """Twenty-five orders with many ties, some without customer, country and payment."""
    users = [make_user(session, username=f"user{n}") for n in range(3)]
    product = make_product(session)
    for n in range(25):
        pending = n % 5 == 0
        make_order(
            session,
            (product, 1 + n % 2, Decimal(10)),
            user=users[n % 4] if n % 4 < 3 else None,
            country=["France", "Spain", None][n % 3],
            placed_at=NOON + timedelta(days=n // 6),
            status=OrderStatus.PENDING if pending else OrderStatus.COMPLETED,
        )


ORDERS = [
    f"{direction}{name}"
    for name in ("id", "number", "placed_at", "status", "total_amount", "country", "user")
    for direction in ("", "-")
]


@pytest.mark.parametrize("sort", ORDERS)
def test_every_row_is_on_exactly_one_page_forth_and_back(
    session: Session, client: FlaskClient, short_pages: None, sort: str
) -> None:
    fill_orders(session)
    every = set(session.scalars(sa.select(Order.id)))

    forth = walk(client, f"/admin/orders/?sort={sort}", "next")
    back = walk(client, f"/admin/orders/?sort={sort}&at=end", "prev")

    seen = [found for page in forth for found in page]
    assert [len(page) for page in forth] == [7, 7, 7, 4]
    assert sorted(seen) == sorted(every)
    assert [found for page in reversed(back) for found in page] == seen


@pytest.mark.parametrize(("sort", "first", "last"), [("country", 0, 2), ("-country", 2, 1)])
def test_empty_values_come_last_going_up_and_first_going_down(
    session: Session, client: FlaskClient, sort: str, first: int, last: int
) -> None:
    product = make_product(session)
    orders = [
        make_order(session, (product, 1, Decimal(1)), country=country).id
        for country in ("France", "Spain", None)
    ]

    found = ids(client.get(f"/admin/orders/?sort={sort}").text)

    assert found == ([orders[0], orders[1], orders[2]] if first == 0 else orders[::-1])
    assert found[-1] == orders[2 if first == 0 else 0]


def test_rows_that_come_in_meanwhile_move_nothing(
    session: Session, client: FlaskClient, short_pages: None
) -> None:
    session.add_all([Tag(name=f"tag-{n:02}") for n in range(0, 28, 2)])
    session.commit()
    page = client.get("/admin/tags/?sort=name").text
    seen = ids(page)
    session.add_all([Tag(name="tag-01"), Tag(name="tag-15")])
    session.commit()

    rest = walk(client, links(page)["next"], "next")

    names = session.scalars(
        sa.select(Tag.name).where(Tag.id.in_([*seen, *(i for p in rest for i in p)]))
    ).all()
    assert len(seen) + sum(map(len, rest)) == len(names) == 15
    assert "tag-15" in names
    assert "tag-01" not in names


@pytest.mark.parametrize("text", ["x", "WzEsMiwzXQ.sig", "%00", "a" * 3000])
@pytest.mark.parametrize("key", ["after", "before"])
def test_a_position_that_no_page_gave_is_the_beginning(
    session: Session, client: FlaskClient, key: str, text: str
) -> None:
    make_product(session)

    response = client.get(f"/admin/products/?{key}={text}")

    assert response.status_code == 200
    assert "That position is no more" in words(response)
    assert len(ids(response.text)) == 1


def test_a_position_of_another_order_is_not_used(
    session: Session, client: FlaskClient, short_pages: None
) -> None:
    fill_orders(session)
    address = links(client.get("/admin/orders/?sort=country").text)["next"]

    response = client.get(address.replace("sort=country", "sort=-total_amount"))

    assert "That position is no more" in words(response)


def shown(session: Session, client: FlaskClient, query: str) -> set[str]:
    """The numbers of the orders that a list shows."""
    found = ids(client.get(f"/admin/orders/?{query}").text)
    return set(session.scalars(sa.select(Order.number).where(Order.id.in_(found))))


@pytest.fixture
def three_orders(session: Session) -> User:
    """A: pending, 10, France, on the 15th · B: completed, 20, Spain, 16th · C: guest, 30, 17th."""
    product = make_product(session)
    user = make_user(session, username="ada")
    for number, n, country, status in (
        ("A", 0, "France", OrderStatus.PENDING),
        ("B", 1, "Spain", OrderStatus.COMPLETED),
        ("C", 2, None, OrderStatus.SHIPPED),
    ):
        make_order(
            session,
            (product, n + 1, Decimal(10)),
            number=number,
            country=country,
            status=status,
            user=user if number != "C" else None,
            email="100%_sure@example.com" if number == "B" else None,
            placed_at=NOON + timedelta(days=n),
        )
    return user


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "ABC"),
        ("status=pending", "A"),
        ("status=pending&status=shipped", "AC"),
        ("status=pending&country=Spain", ""),
        ("total_amount.min=20", "BC"),
        ("total_amount.max=20", "AB"),
        ("total_amount.min=15&total_amount.max=25", "B"),
        ("placed_at.from=2026-01-16", "BC"),
        ("placed_at.to=2026-01-16", "AB"),
        ("placed_at.from=2026-01-16&placed_at.to=2026-01-16", "B"),
        ("paid_on.empty=yes", "A"),
        ("paid_on.empty=no", "BC"),
        ("paid_on.from=2026-01-17", "C"),
        ("country=France&country=Spain", "AB"),
        ("country.contains=PAI", "B"),
        ("country.empty=yes", "C"),
        ("country.empty=yes&country=France", "AC"),
        ("user.empty=yes", "C"),
        ("search=100%25_sure", "B"),
        ("search=%25", "B"),
        ("search=_", "B"),
        ("search=B sure", "B"),
        ("search=nobody", ""),
        # An address by its beginning, anything else wherever it is.
        ("search=100%25_Sure@exam", "B"),
        ("search=sure@example.com", ""),
        ("search=@example.com", "B"),
    ],
)
def test_filters_and_together_and_or_within_one_field(
    session: Session, client: FlaskClient, three_orders: User, query: str, expected: str
) -> None:
    assert shown(session, client, query) == set(expected)


def test_orders_of_one_customer(session: Session, client: FlaskClient, three_orders: User) -> None:
    assert shown(session, client, f"user={three_orders.id}") == {"A", "B"}


def test_low_stock_is_a_filter_with_a_name(session: Session, client: FlaskClient) -> None:
    low = make_product(session, stock=5, low_stock_threshold=5)
    make_product(session, stock=6, low_stock_threshold=5)
    make_product(session, stock=0, is_available=False)

    assert ids(client.get("/admin/products/?low_stock=yes").text) == [low.id]


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("status=lost", "Status: there is no 'lost'."),
        ("total_amount.min=NaN", "Total: 'NaN' is not a number that can occur here."),
        ("total_amount.min=1e99", "not a number that can occur"),
        ("placed_at.from=2026-02-30", "Placed at: '2026-02-30' is no day."),
        ("placed_at.from=0001-01-01", "is no day"),
        ("placed_at=tomorrow", "there is no period"),
        ("country.empty=maybe", "Country: say yes or no."),
        ("user=ada", "Customer: 'ada' is no key."),
        ("user=" + "9" * 30, "is no key"),
        ("sort=password_hash", "cannot be sorted by 'password_hash'"),
        ("colour=red&page=3", "This list does not know: colour, page."),
    ],
)
def test_what_makes_no_sense_is_said_and_left_out(
    session: Session, client: FlaskClient, three_orders: User, query: str, notice: str
) -> None:
    response = client.get(f"/admin/orders/?{query}")

    assert notice in words(response)
    assert len(ids(response.text)) == 3


def test_each_chip_takes_one_part_of_the_question_back(
    session: Session, client: FlaskClient, three_orders: User
) -> None:
    page = client.get("/admin/orders/?status=pending&status=shipped&country=France&search=A").text

    chips = re.findall(r'<a href="([^"]+)" aria-label="Remove ([^"]+)"', page)

    asked = {words_: dict(parse_qsl(urlsplit(html.unescape(url)).query)) for url, words_ in chips}
    assert set(asked) == {"“A”", "Status: pending", "Status: shipped", "Country: France"}
    assert "search" not in asked["“A”"]
    assert asked["Status: pending"]["status"] == "shipped"


def test_the_question_survives_going_to_a_record_and_back(
    session: Session, client: FlaskClient, three_orders: User
) -> None:
    page = client.get("/admin/orders/?status=pending&sort=number").text
    record = re.findall(r'class="row-link" href="([^"]+)"', page)[0]

    back = client.get(html.unescape(record)).text

    assert 'href="/admin/orders/?status=pending&amp;sort=number"' in back


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day_is_whole_when_the_clock_changes(
    session: Session, client: FlaskClient, day: date
) -> None:
    """In London 29 March 2026 has 23 hours and 25 October has 25."""
    product = make_product(session)
    summer_before = day.month > 3
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first = midnight - timedelta(hours=1 if summer_before else 0)
    last = midnight + timedelta(hours=24 if summer_before else 23)
    for number, moment in (
        ("before", first - timedelta(seconds=1)),
        ("first", first),
        ("last", last - timedelta(seconds=1)),
        ("after", last),
    ):
        make_order(session, (product, 1, Decimal(1)), number=number, placed_at=moment)

    found = shown(session, client, f"placed_at.from={day}&placed_at.to={day}")

    assert found == {"first", "last"}


def test_short_lists_are_counted_exactly(session: Session, client: FlaskClient) -> None:
    for _ in range(3):
        make_product(session)

    assert "3 rows" in words(client.get("/admin/products/"))


def test_long_lists_are_counted_to_the_cap(
    session: Session, client: FlaskClient, short_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "CAP", 8)
    session.add_all([Tag(name=f"tag-{n}") for n in range(20)])
    session.commit()

    assert "8+ rows" in words(client.get("/admin/tags/?search=tag"))
    assert "8+ rows" in words(client.get("/admin/tags/"))


def test_a_count_that_takes_too_long_is_not_waited_for(
    session: Session, client: FlaskClient, short_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add_all([Tag(name=f"tag-{n}") for n in range(20)])
    session.commit()
    slow = sa.text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000000) "
        "SELECT count(*) AS id FROM n"
    ).columns(id=sa.Integer)
    count = counting.count_rows

    def count_slowly(session: Session, _statement: sa.Select[tuple[int]]) -> counting.Count:
        return count(session, sa.select(slow.subquery("slow")), budget=0.05)

    monkeypatch.setattr(view, "count_rows", count_slowly)

    response = client.get("/admin/tags/?search=tag")

    assert response.status_code == 200
    assert len(ids(response.text)) == 7
    assert re.search(r"(many|about \d+) rows", words(response))


def test_a_large_table_is_counted_by_the_statistics(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        assert counting.count_table(session, Product) == counting.Count(0)
        return
    monkeypatch.setattr(counting, "CAP", 8)
    session.execute(sa.text("UPDATE pg_class SET reltuples = 2345678 WHERE relname = 'tags'"))

    count = counting.count_table(session, Tag)

    assert (count.number, count.is_exact) == (2345678, False)
    assert str(count) == "about 2,300,000"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("paid_on.from=2026-01-16", ["C", "B"]),
        ("paid_on.from=2026-01-16&sort=number", ["B", "C"]),
    ],
)
def test_days_that_are_asked_for_come_in_their_order(
    session: Session, client: FlaskClient, query: str, found: list[str]
) -> None:
    product = make_product(session)
    for number, day in (("A", 0), ("C", 2), ("B", 1)):
        placed = NOON + timedelta(days=day)
        make_order(session, (product, 1, Decimal(1)), number=number, placed_at=placed)

    page = client.get(f"/admin/orders/?{query}").text

    assert re.findall(r'class="row-link"[^>]*>(\w)<', page) == found
