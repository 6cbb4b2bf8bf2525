"""The palette: what it finds, for whom, and what it does not do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User
from tests.factories import make_order, make_product, make_profile, make_user
from tests.pages import words

SignIn = Callable[[Role], User]


def found(client: FlaskClient, typed: str) -> list[tuple[str, str]]:
    answer = client.get("/admin/palette/records.json", query_string={"q": typed})
    assert answer.status_code == 200
    return [(hit["kind"], hit["label"]) for hit in answer.json["hits"]]  # type: ignore[index]


@pytest.fixture
def shop(session: Session) -> None:
    ada = make_user(session, username="ada", email="ada@example.com")
    make_profile(session, ada, full_name="Ada Example")
    mug = make_product(session, sku="MUG-1", name="Mug")
    make_product(session, sku="MUG-2", name="Large mug")
    make_order(session, (mug, 1, Decimal(5)), user=ada, number="A1001", email="ada@example.com")
    make_order(session, (mug, 1, Decimal(5)), number="A1002")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("A1001", [("Order", "A1001")]),
        (" #a1001 ", [("Order", "A1001")]),
        ("A100", []),
        ("ada@example.com", [("Order", "A1001"), ("Customer", "Ada Example")]),
        ("ADA@exam", [("Customer", "Ada Example")]),
        ("ada", [("Customer", "Ada Example")]),
        ("mug-1", [("Product", "MUG-1")]),
        ("mug", [("Product", "MUG-1"), ("Product", "MUG-2")]),
        ("ug", []),
        ("a", []),
        ("", []),
        ("%%", []),
        ("__", []),
        ("mug_", []),
        ("\\\\", []),
        ("x" * 5_000, []),
        ("a\0b", []),
        ("zz", []),
    ],
)
def test_a_record_is_found_by_what_identifies_it(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    typed: str,
    expected: list[tuple[str, str]],
) -> None:
    sign_in(Role.ADMIN)

    assert found(client, typed) == expected


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.ANALYST, {"Order", "Product"}),
        (Role.SUPPORT, {"Order", "Product", "Customer"}),
        (Role.MANAGER, {"Order", "Product", "Customer"}),
        (Role.OPERATOR, set()),
        (Role.ADMIN, {"Order", "Product", "Customer"}),
    ],
)
def test_everybody_finds_what_they_may_open(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role, kinds: set[str]
) -> None:
    sign_in(role)

    hits = [
        hit
        for typed in ("A1001", "ada", "MUG")
        for hit in client.get(f"/admin/palette/records.json?q={typed}").json["hits"]  # type: ignore[index]
    ]

    assert {hit["kind"] for hit in hits} == kinds
    assert {client.get(hit["url"]).status_code for hit in hits} <= {200}


def test_no_table_gives_more_than_eight(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    for number in range(10):
        make_product(session, sku=f"MUG-{number}")
        make_user(session, username=f"mug{number}")
    sign_in(Role.ADMIN)

    hits = found(client, "mug")

    assert [kind for kind, _ in hits].count("Product") == 8
    assert [label for kind, label in hits if kind == "Customer"] == [f"mug{n}" for n in range(8)]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("typed", ["A1001", "ada@example.com", "mug"])
def test_a_search_takes_three_statements_at_most(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
    typed: str,
) -> None:
    sign_in(Role.ADMIN)
    caplog.set_level("INFO", "backoffice.request")

    found(client, typed)

    # Besides the user and the test's own savepoint.
    assert caplog.records[-1].facts["statements"] <= 3 + 2  # type: ignore[attr-defined]


def test_a_stranger_finds_nothing(session: Session, client: FlaskClient) -> None:
    assert client.get("/admin/palette/records.json?q=A1001").status_code == 401


@pytest.mark.usefixtures("shop")
def test_it_is_a_page_where_there_is_no_script(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)

    page = words(client.get("/admin/palette/?q=order"))
    assert "Pages Orders Page · Sell Order items Page · Sell" in page
    assert "MUG-1 Product · Mug, 0 in stock" in words(client.get("/admin/palette/?q=mug-1"))
    assert "&lt;b&gt;" in client.get("/admin/palette/?q=<b>nothing").text


@pytest.mark.parametrize(
    ("role", "offered", "kept"),
    [
        (Role.SUPPORT, ["Orders", "Your profile"], ["Users", "New product", "Revenue by month"]),
        (Role.MANAGER, ["Orders", "New product", "Revenue by month"], ["Users", "New user"]),
        (Role.ADMIN, ["Users", "New user", "Health"], []),
    ],
)
def test_the_pages_offered_are_those_that_open(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    role: Role,
    offered: list[str],
    kept: list[str],
) -> None:
    sign_in(role)

    block = client.get("/admin/").text.partition('id="palette-pages"')[2].partition("</script>")[0]

    assert [name for name in offered + kept if f'"{name}"' in block] == offered
