"""Reports in the browser: parameters in the URL, mistakes beside their field, closed to others."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role, staff_actor
from backoffice.models import User
from backoffice.reports.catalog import catalog
from tests.factories import make_order, make_product

SignIn = Callable[[Role], User]
PERIOD = "from=2026-01-01&to=2026-03-01&customers=all&currency=GBP"


@pytest.fixture
def shop(committed: Session) -> Session:
    """One order whose product is a formula to a spreadsheet and a script to a browser."""
    product = make_product(committed, sku="A", name="=1+<script>alert(1)</script>")
    moment = datetime(2026, 1, 15, tzinfo=UTC)
    make_order(committed, (product, 2, Decimal("1234.50")), placed_at=moment)
    return committed


def page(client: FlaskClient, path: str) -> str:
    response = client.get(f"/admin/reports/{path}")
    assert response.status_code == 200, path
    return response.get_data(as_text=True)


def test_every_report_is_listed_and_opens_with_its_defaults(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)
    index = page(client, "")

    for slug, report in catalog().items():
        assert f'href="/admin/reports/{slug}"' in index
        assert f"<h1>{report.title}</h1>" in page(client, slug)


def test_a_report_shows_rows_totals_and_what_it_was_run_with(
    shop: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    text = page(client, f"revenue_by_month?{PERIOD}")

    assert '<td class="number">2,469.00</td>' in text
    assert '<th scope="row">Total</th>' in text
    assert 'value="2026-01-01"' in text
    assert "amounts in GBP" in text
    assert f'href="/admin/reports/revenue_by_month.csv?{PERIOD}"' in text.replace("&amp;", "&")
    assert 'id="report-chart-spec"' in text


def test_nothing_is_shown_as_a_dash_and_texts_are_only_texts(
    shop: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    assert '<td class="number">—</td>' in page(client, f"top_customers?{PERIOD}")
    assert "<script>alert" not in page(client, f"revenue_by_product?{PERIOD}")


def test_csv_and_json_carry_the_same_parameters(
    shop: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)
    file = client.get(f"/admin/reports/revenue_by_product.csv?{PERIOD}")
    answer = client.get(f"/admin/reports/revenue_by_product.json?{PERIOD}")

    assert file.headers["Content-Disposition"] == "attachment; filename=revenue_by_product.csv"
    assert list(csv.reader(io.StringIO(file.get_data(as_text=True))))[1] == [
        "A",
        "'=1+<script>alert(1)</script>",
        "2",
        "1",
        "2469.00",
    ]
    assert answer.json is not None
    assert answer.json["totals"] == {"units": 2, "revenue": 2469.0}
    assert answer.json["parameters"]["from"] == "2026-01-01"


def test_a_mistake_is_said_beside_its_field_and_nothing_is_run(
    shop: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    response = client.get('/admin/reports/top_customers?from=2026-01-32&limit=0&currency="><b>')
    text = response.get_data(as_text=True)

    assert response.status_code == 400
    assert "There is no day 2026-01-32." in text
    assert 'id="limit-mistake">Enter 1 or more.' in text
    assert 'value="2026-01-32"' in text
    assert "<table" not in text
    assert "<b>" not in text


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_program_gets_the_mistake_as_a_line_of_text(
    committed: Session, client: FlaskClient, sign_in: SignIn, form: str
) -> None:
    sign_in(Role.ANALYST)

    response = client.get(f"/admin/reports/top_customers.{form}?limit=0")

    assert response.status_code == 400
    assert response.get_data(as_text=True) == "limit: Enter 1 or more.\n"


def test_unknown_arguments_are_ignored_and_unknown_reports_are_not_found(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    assert page(client, "revenue_by_month?colour=red")
    for path in ("nope", "nope.csv", "nope.json", "../secrets", "revenue_by_month.xml"):
        assert client.get(f"/admin/reports/{path}").status_code == 404, path


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_reports_are_closed_to_those_without_the_permission(
    committed: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    sign_in(role)
    may = staff_actor(1, "x", role).can(Permission.REPORT_READ)

    for path in ("", "revenue_by_month", "revenue_by_month.csv", "revenue_by_month.json"):
        assert client.get(f"/admin/reports/{path}").status_code == (200 if may else 403), path


def test_strangers_are_sent_to_sign_in(committed: Session, client: FlaskClient) -> None:
    assert client.get("/admin/reports/revenue_by_month").status_code == 302
    assert client.get("/admin/reports/revenue_by_month.csv").status_code in (302, 401)
    assert client.get("/admin/reports/revenue_by_month.json").status_code == 401


def test_a_busy_shop_is_told_so_with_the_form_kept(
    committed: Session, client: FlaskClient, sign_in: SignIn, app: Flask
) -> None:
    sign_in(Role.ANALYST)
    page(client, "revenue_by_month")
    slots = app.extensions["backoffice.reports"]._slots
    taken = 0
    while slots.acquire(blocking=False):
        taken += 1
    try:
        response = client.get(f"/admin/reports/revenue_by_month?{PERIOD}")
    finally:
        slots.release(taken)

    assert response.status_code == 503
    assert "Other reports are running." in response.get_data(as_text=True)
    assert 'value="2026-01-01"' in response.get_data(as_text=True)


def test_the_chart_library_is_ours_packed_and_kept(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)
    packed = client.get("/admin/reports/vega.js?v=1", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/admin/reports/vega.js?v=1")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < 400_000
    assert b"window.vegaEmbed=" in plain.data
    assert "immutable" in plain.headers["Cache-Control"]


def test_a_row_leads_to_its_record(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(committed, sku="LOW-1", stock=2)
    sign_in(Role.ANALYST)

    text = page(client, "low_stock")

    assert f'<a href="/admin/products/details/?id={product.id}">LOW-1</a>' in text
    assert '<th scope="col" class="number">Id</th>' not in text
    assert client.get("/admin/reports/low_stock.csv").text.startswith("id,sku,product,stock")


def test_who_may_not_see_the_record_gets_no_link(
    committed: Session, client: FlaskClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product(committed, sku="LOW-1", stock=2)
    without = GRANTS[Role.ANALYST] - {Permission.CATALOGUE_READ}
    monkeypatch.setitem(GRANTS, Role.ANALYST, without)
    sign_in(Role.ANALYST)

    text = page(client, "low_stock")

    assert "<td>LOW-1</td>" in text
    assert "/admin/products/" not in text.partition("<main")[2]


def test_a_report_without_rows_says_so_in_its_own_words(
    committed: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ANALYST)

    assert "Nothing that is for sale is at or below its threshold." in page(client, "low_stock")
