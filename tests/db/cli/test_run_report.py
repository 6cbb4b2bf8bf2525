"""`flask run-report`: the options are the parameters of the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.reports.catalog import catalog
from tests.factories import make_order, make_product, make_user

PERIOD = ("--from", "2010-12-01", "--to", "2011-03-01")


@pytest.fixture
def shop(committed: Session) -> Session:
    """Two orders of a customer and one of a guest, with a month without any between them."""
    product, ann = make_product(committed), make_user(committed, username="ann")
    for month, amount, user in ((12, "10.10", ann), (12, "5", None), (2, "20.20", ann)):
        moment = datetime(2010 if month == 12 else 2011, month, 15, tzinfo=UTC)
        make_order(committed, (product, 1, Decimal(amount)), placed_at=moment, user=user)
    return committed


def test_csv_has_the_months_as_declared(shop: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(
        args=["run-report", "revenue_by_month", *PERIOD, "--customers=registered", "--format=csv"]
    )

    assert result.exit_code == 0
    assert result.stdout == (
        "month,orders,customers,revenue,running_total\n"
        "2010-12,1,1,10.10,10.10\n"
        "2011-01,0,0,0.00,10.10\n"
        "2011-02,1,1,20.20,30.30\n"
    )


def test_the_table_ends_with_the_totals(shop: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["run-report", "revenue_by_month", *PERIOD])

    assert result.stdout.splitlines()[-1].split() == ["Total", "3", "35.30"]


def test_json_carries_parameters_rows_and_totals(shop: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(
        args=["run-report", "top_customers", *PERIOD, "--limit", "1", "--format", "json"]
    )

    answer = json.loads(result.stdout)
    assert answer["parameters"]["limit"] == "1"
    assert answer["rows"][0] == {
        "rank": 1,
        "customer": "ann",
        "name": None,
        "orders": 2,
        "revenue": 30.3,
    }
    assert answer["totals"] == {"orders": 3, "revenue": 35.3}


def test_every_report_runs_with_its_defaults(committed: Session, runner: FlaskCliRunner) -> None:
    for slug in catalog():
        assert runner.invoke(args=["run-report", slug]).exit_code == 0, slug


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nope"], "There is no report 'nope'. There are: low_stock, "),
        (["nope", "--from", "2010-12-01"], "There is no report 'nope'."),
        ([], "Missing argument 'SLUG'"),
        (["revenue_by_month", "--from", "2010-13-01"], "Invalid value for --from: There is no day"),
        (["revenue_by_month", "--from", ""], "Invalid value for --from: Enter a day"),
        (
            ["revenue_by_month", "--customers", "x"],
            "for --customers: Choose one of all, registered",
        ),
        (
            ["revenue_by_month", "--from", "2011-01-01", "--to", "2011-01-01"],
            "Invalid value for --to: Choose a day after “From” (2011-01-01).",
        ),
        (["revenue_by_month", "--limit", "3"], "No such option '--limit'"),
        (["top_customers", "--limit", "0"], "Invalid value for --limit: Enter 1 or more."),
        (["top_customers", "--format", "pdf"], "Invalid value for '--format'"),
    ],
)
def test_a_wrong_option_is_a_usage_error_that_names_it(
    committed: Session, runner: FlaskCliRunner, args: list[str], sentence: str
) -> None:
    result = runner.invoke(args=["run-report", *args])

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


def test_help_lists_the_reports_and_with_a_report_its_parameters(
    committed: Session, runner: FlaskCliRunner
) -> None:
    general = runner.invoke(args=["run-report", "--help"]).stdout
    special = runner.invoke(args=["run-report", "top_customers", "--help"]).stdout

    assert all(slug in general for slug in catalog())
    assert "--limit" not in general
    assert "--limit" in special
    assert "--from" in special
