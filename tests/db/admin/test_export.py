"""A list as a file: exactly its rows, for those who may, and noted in the change log."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import GRANTS, Permission, Role, Source
from backoffice.models import ChangeSet, Order, OrderStatus, User
from tests.factories import count, make_order, make_product, make_user

SignIn = Callable[[Role], User]
FORMS = ["csv", "xlsx", "jsonl"]


@pytest.fixture
def orders(committed: Session) -> list[Order]:
    product, ann = make_product(committed), make_user(committed, username="ann")
    return [
        make_order(committed, (product, 1, Decimal("12.50")), number="A1", user=ann),
        make_order(committed, (product, 2, Decimal("12.50")), number="A2", country="Norway"),
        make_order(committed, number="A3", status=OrderStatus.PENDING),
    ]


@pytest.fixture
def limit(app: Flask) -> Iterator[Callable[[int], None]]:
    before = app.config["EXPORT_MAX_ROWS"]

    def set_to(rows: int) -> None:
        app.config["EXPORT_MAX_ROWS"] = rows

    yield set_to
    app.config["EXPORT_MAX_ROWS"] = before


def export(client: FlaskClient, path: str, **arguments: Any) -> TestResponse:
    """Download a file to its end, as a server closes it."""
    return client.get(f"/admin/{path}", buffered=True, **arguments)


def table(response: TestResponse) -> list[list[str]]:
    assert response.status_code == 200, response.text
    return list(csv.reader(io.StringIO(response.text)))


def test_a_file_holds_the_columns_of_the_list_in_its_order(
    committed: Session, client: FlaskClient, sign_in: SignIn, orders: list[Order]
) -> None:
    sign_in(Role.MANAGER)

    rows = table(export(client, "orders/export.csv?sort=number"))

    assert rows == [
        ["number", "placed_at", "user", "country", "status", "total_amount", "currency"],
        ["A1", "2026-01-15T12:00:00Z", "ann", "", "completed", "12.50", "GBP"],
        ["A2", "2026-01-15T12:00:00Z", "", "Norway", "completed", "25.00", "GBP"],
        ["A3", "2026-01-15T12:00:00Z", "", "", "pending", "0.00", "GBP"],
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("sort=-number", ["A3", "A2", "A1"]),
        ("status=pending", ["A3"]),
        ("country=Norway", ["A2"]),
        ("search=a1", ["A1"]),
        ("search=nothing", []),
        ("sort=-total_amount&status=completed", ["A2", "A1"]),
        ("sort=number&at=end", ["A1", "A2", "A3"]),
    ],
)
def test_a_file_holds_the_rows_that_the_list_would_show(
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    orders: list[Order],
    query: str,
    numbers: list[str],
) -> None:
    sign_in(Role.ADMIN)

    rows = table(export(client, f"orders/export.csv?columns=number&{query}"))

    assert rows == [["number"], *([number] for number in numbers)]


def test_the_three_formats_hold_the_same(
    committed: Session, client: FlaskClient, sign_in: SignIn, orders: list[Order]
) -> None:
    sign_in(Role.ADMIN)
    query = "sort=number&columns=total_amount&columns=number&columns=user&status=completed"

    sheet, lines = (export(client, f"orders/export.{form}?{query}") for form in FORMS[1:])

    assert table(export(client, f"orders/export.csv?{query}")) == [
        ["number", "user", "total_amount"],
        ["A1", "ann", "12.50"],
        ["A2", "", "25.00"],
    ]
    assert [json.loads(line) for line in lines.text.splitlines()] == [
        {"number": "A1", "user": "ann", "total_amount": 12.5},
        {"number": "A2", "user": None, "total_amount": 25},
    ]
    xml = zipfile.ZipFile(io.BytesIO(sheet.data)).read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r">([^<>]+)</[tv]>", xml) == [
        "number", "user", "total_amount", "A1", "ann", "12.50", "A2", "25.00",
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_change_log_says_who_took_what(
    committed: Session, client: FlaskClient, sign_in: SignIn, orders: list[Order], form: str
) -> None:
    user = sign_in(Role.MANAGER)

    response = export(client, f"orders/export.{form}?columns=number&columns=email&status=completed")

    assert response.status_code == 200
    log = committed.scalars(sa.select(ChangeSet)).one()
    assert (log.action, log.table_name, log.actor_id, log.source) == (
        "export.orders",
        "orders",
        user.id,
        Source.FORM,
    )
    assert log.details == {
        "format": form,
        "columns": ["number", "email"],
        "query": "status=completed&sort=-placed_at",
        "rows": 2,
        "cut": False,
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_was_cut_says_so_in_its_name_and_in_the_log(
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    orders: list[Order],
    limit: Callable[[int], None],
    form: str,
) -> None:
    sign_in(Role.ADMIN)
    whole = export(client, f"orders/export.{form}")
    limit(2)

    cut = export(client, f"orders/export.{form}?sort=number")

    moment = r"\d{8}T\d{6}Z"
    for response, name in ((whole, "orders"), (cut, "orders-first-2")):
        shown = response.headers["Content-Disposition"]
        assert re.fullmatch(rf"attachment; filename={name}-{moment}\.{form}", shown)
    logs = committed.scalars(sa.select(ChangeSet).order_by(ChangeSet.id)).all()
    assert [(log.details or {})["rows"] for log in logs] == [3, 2]
    assert [(log.details or {})["cut"] for log in logs] == [False, True]
    if form == "csv":
        assert [row[0] for row in table(cut)] == ["number", "A1", "A2"]


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_taking_data_away_needs_a_permission_of_its_own(
    committed: Session, client: FlaskClient, sign_in: SignIn, orders: list[Order], role: Role
) -> None:
    sign_in(role)
    reads = Permission.ORDER_READ in GRANTS[role]
    may = reads and Permission.DATA_EXPORT in GRANTS[role]

    status = export(client, "orders/export.csv").status_code
    page = client.get("/admin/orders/").text

    assert status == (200 if may else 403)
    assert count(committed, ChangeSet) == (1 if may else 0)
    assert ("/admin/orders/export.csv" in page) is may


def test_who_may_not_read_a_table_cannot_take_it_away(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    assert export(client, "users/export.csv").status_code == 403
    assert export(client, "change_sets/export.jsonl").status_code == 403
    assert count(committed, ChangeSet) == 0


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("export.csv?columns=password_hash", 400, "no column 'password_hash' to export"),
        ("export.csv?columns=number&columns=nowhere", 400, "no column 'nowhere' to export"),
        ("export.csv?status=lost", 400, "Nothing was exported."),
        ("export.csv?colour=blue", 400, "Nothing was exported. This list does not know: colour."),
        ("export.csv?sort=address", 400, "Nothing was exported. This list cannot be sorted"),
        ("export.pdf", 404, "There is nothing at this address"),
    ],
)
def test_what_cannot_be_done_exactly_is_not_done(
    committed: Session,
    client: FlaskClient,
    sign_in: SignIn,
    orders: list[Order],
    path: str,
    status: int,
    sentence: str,
) -> None:
    sign_in(Role.ADMIN)

    response = export(client, f"orders/{path}", headers={"Accept": "application/json"})

    assert response.status_code == status
    assert sentence in response.get_json()["error"]
    assert "attachment" not in str(response.headers)
    assert count(committed, ChangeSet) == 0


def test_asking_for_the_head_of_a_file_takes_nothing(
    committed: Session, client: FlaskClient, sign_in: SignIn, orders: list[Order]
) -> None:
    sign_in(Role.ADMIN)

    assert client.head("/admin/orders/export.csv", buffered=True).status_code == 405
    assert count(committed, ChangeSet) == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "orders",
        "order_items",
        "payments",
        "refunds",
        "order_events",
        "stock_movements",
        "price_changes",
        "products",
        "categories",
        "tags",
        "profiles",
        "users",
        "change_sets",
    ],
)
def test_every_table_can_be_exported_with_all_that_its_record_shows_but_no_secret(
    committed: Session, app: Flask, client: FlaskClient, sign_in: SignIn, endpoint: str
) -> None:
    sign_in(Role.ADMIN)
    page = client.get(f"/admin/{endpoint}/").text
    names = re.findall(r'name="columns" value="([a-z_]+)"', page)

    for form in FORMS:
        response = export(client, f"{endpoint}/export.{form}", query_string={"columns": names})
        assert response.status_code == 200, form
        assert b"scrypt" not in response.data
        if form == "csv":
            assert response.text.splitlines()[0].split(",") == names

    assert len(names) >= 2
    assert "password_hash" not in names


def test_exports_that_were_left_in_the_middle_make_room_for_others(
    committed: Session, app: Flask, client: FlaskClient, sign_in: SignIn, orders: list[Order]
) -> None:
    sign_in(Role.ADMIN)
    for _ in range(app.config["EXPORT_CONCURRENCY"] * 2):
        for form in FORMS:
            response = client.get(f"/admin/orders/export.{form}", buffered=False)
            response.close()

    assert export(client, "orders/export.csv").status_code == 200
