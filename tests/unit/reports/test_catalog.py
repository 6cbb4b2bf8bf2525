"""A report's file is wrong in words, when it is loaded, never when it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from backoffice.access import GRANTS, Actor, Role, Source, command_actor
from backoffice.errors import ConfigurationError, NotFoundError, PermissionDeniedError
from backoffice.reports.catalog import catalog, find_report, load_catalog

HEADER = """title = "Orders"
group = "Test"
description = "How many."
[params.since]
type = "date"
label = "Since"
default = "today-1m"
[columns.orders]
label = "Orders"
format = "integer"
total = true
"""
SQL = "SELECT count(*) AS orders FROM orders WHERE paid_on >= :since"


def write(folder: Path, header: str = HEADER, sql: str = SQL, name: str = "orders.sql") -> Path:
    (folder / name).write_text(f"/*---\n{header}---*/\n{sql}\n")
    return folder


def test_a_good_file_is_loaded_under_its_name(tmp_path: Path) -> None:
    report = load_catalog(write(tmp_path))["orders"]

    assert (report.slug, report.title) == ("orders", "Orders")
    assert report.statement("sqlite") == report.statement("postgresql") == SQL
    assert report.limits.rows == 5000


def test_a_dialect_may_have_a_statement_of_its_own(tmp_path: Path) -> None:
    own = SQL.replace("count(*)", "count(id)")
    (write(tmp_path) / "orders.sqlite.sql").write_text(own)

    report = load_catalog(tmp_path)["orders"]

    assert report.statement("sqlite") == own
    assert report.statement("postgresql") == SQL


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (HEADER + "colour = 1\n", r"columns\.orders\.colour: Extra inputs"),
        (HEADER.replace('"date"', '"moment"'), r"params\.since\.type: Input should be 'date'"),
        (HEADER.replace('title = "Orders"\n', ""), "title: Field required"),
        (HEADER.replace('"integer"', '"text"'), "only a number can have a total"),
        (HEADER.replace('"date"', '"enum"'), "an enum has choices"),
        (
            HEADER + "record = 'orders'\n",
            "a column leads to records, and there is no column id",
        ),
        (
            HEADER + "[chart]\ntype = 'bar'\nx = 'day'\ny = 'orders'\n",
            "the chart uses the column day",
        ),
        (HEADER + "[limits]\nrows = 0\n", r"limits\.rows: Input should be greater"),
        (HEADER.replace("label =", "after = 'to'\nlabel =", 1), "since is after to, which is not"),
        (
            HEADER + "[params.until]\ntype='date'\nlabel='Until'\ndefault='today'\n",
            "declares until",
        ),
        ('slug = "other"\n' + HEADER, "slug: Extra inputs"),
        ("title = \n", "is not TOML"),
    ],
)
def test_a_wrong_header_is_refused_naming_file_and_place(
    tmp_path: Path, header: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"orders\.sql cannot be used\. .*{sentence}"):
        load_catalog(write(tmp_path, header))


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (SQL + "; SELECT 1", "more than one statement"),
        (SQL.replace("SELECT", "DELETE"), "does not begin with SELECT or WITH"),
        ("WITH d AS (DELETE FROM orders RETURNING 1) " + SQL, "It holds DELETE"),
        (SQL + " FOR UPDATE", "It holds UPDATE"),
        (SQL.replace("FROM", "INTO copied FROM"), "It holds INTO"),
        (SQL + " AND id = :id", "It uses :id, which is not declared"),
        (SQL.replace(":since", "'2026-01-01'"), "declares since, which is not used"),
    ],
)
def test_wrong_sql_is_refused_naming_the_file(tmp_path: Path, sql: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"orders\.sql cannot be used\. .*{sentence}"):
        load_catalog(write(tmp_path, sql=sql))


def test_the_words_of_a_string_or_comment_are_not_commands(tmp_path: Path) -> None:
    sql = SQL + " AND number <> 'drop; delete' -- update; nothing\n /* insert */ AND \"set\" > 1;"

    assert load_catalog(write(tmp_path, sql=sql))


def test_a_file_without_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bare.sql").write_text("SELECT 1")

    with pytest.raises(ConfigurationError, match=r"bare\.sql .* does not begin with a header"):
        load_catalog(tmp_path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("orders.oracle.sql", "oracle is not one of"),
        ("other.sqlite.sql", r"There is no other\.sql beside it"),
        ("By-Month.sql", "not made of lower-case letters"),
    ],
)
def test_a_file_with_a_wrong_name_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        load_catalog(write(write(tmp_path), name=name))


def test_an_unknown_report_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"no report 'nope'.*revenue_by_month"):
        find_report("nope")


def test_every_revenue_report_has_what_lets_them_reconcile() -> None:
    reports = [report for report in catalog().values() if report.group == "Revenue"]
    assert len(reports) == 6
    for report in reports:
        assert {"from", "to", "customers", "currency"} <= set(report.params)
        assert report.columns["revenue"].total


def test_a_report_is_for_its_roles_and_for_the_command_line(tmp_path: Path) -> None:
    report = load_catalog(write(tmp_path, "roles = ['analyst']\n" + HEADER))["orders"]
    actors = {role: Actor(None, "x", GRANTS[role], Source.FORM, role) for role in Role}

    report.require_reader(actors[Role.ANALYST])
    report.require_reader(command_actor("x"))
    with pytest.raises(NotFoundError):
        report.require_reader(actors[Role.ADMIN])
    with pytest.raises(PermissionDeniedError):
        report.require_reader(actors[Role.SUPPORT])
