"""Reports read over connections of their own, so these tests commit for real."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date

import pytest
from sqlalchemy.engine import Engine

from backoffice.access import command_actor
from backoffice.reports.catalog import find_report
from backoffice.reports.connections import open_engine
from backoffice.reports.parameters import ShopContext, read_parameters
from backoffice.reports.result import ReportResult
from backoffice.reports.runner import ReportRunner
from backoffice.reports.spec import Report

SHOP = ShopContext(today=date(2026, 7, 1), currency="GBP")
Run = Callable[..., ReportResult]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def reports(engine: Engine) -> ReportRunner:
    return ReportRunner(engine, concurrency=2)


@pytest.fixture
def run(reports: ReportRunner) -> Run:
    """Return a function that runs a report of the catalogue, by default for the whole of time."""

    def run(slug: str, **given: str) -> ReportResult:
        report = find_report(slug)
        period = {"from": "2020-01-01", "to": "2030-01-01"}
        given = {name.rstrip("_"): value for name, value in given.items()}
        values = read_parameters(report, period | given, SHOP)
        return reports.run(command_actor("tester"), report, values)

    return run


def report_of(
    sql: str,
    columns: tuple[str, ...] = ("a",),
    params: Collection[str] = (),
    **limits: int,
) -> Report:
    """Return a report that no catalogue would have loaded: the database alone stands guard."""
    return Report.model_validate(
        {
            "title": "Hostile",
            "group": "Test",
            "description": "",
            "params": {n: {"type": "text", "label": n, "default": ""} for n in params},
            "columns": {name: {"label": name} for name in columns},
            "limits": limits,
            "slug": "hostile",
            "statements": {"": sql},
        }
    )
