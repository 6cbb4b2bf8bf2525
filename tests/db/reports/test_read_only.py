"""A report cannot write, leave its session behind, or run longer than it may: whatever its SQL."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session

from backoffice.access import Role, command_actor, staff_actor
from backoffice.errors import PermissionDeniedError, QueryLimitError, UnavailableError
from backoffice.models import Order, Product
from backoffice.reports.connections import open_engine
from backoffice.reports.parameters import Value
from backoffice.reports.runner import ReportRunner
from tests.db.reports.conftest import report_of
from tests.factories import count, make_order, make_product

ACTOR = command_actor("tester")
ENDLESS = (
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS a FROM r"
)

ESCAPES = {
    "postgresql": [
        "commit; update products set name = 'HACKED'",
        "select 1 as a; commit; update products set name = 'HACKED'",
        "select 1 as a; update products set name = 'HACKED'; commit",
        "rollback; delete from order_items; commit",
        "delete from order_items",
        "update products set name = 'HACKED' returning name as a",
        "with d as (delete from order_items returning 1 as a) select * from d",
        "select name as a from products for update",
        "select name as a into copied from products",
        "create temp table zz(a int)",
        "create table zz(a int)",
        "truncate order_items",
        "set transaction read write",
        "reset role",
        "copy (select 1) to program 'true'",
        "copy products to '/tmp/products'",
        "do $$ begin delete from order_items; end $$",
        "call nothing()",
        "select nextval('products_id_seq') as a",
        "select pg_advisory_lock(7) as a, set_config('transaction_read_only', 'off', true)",
        """with s as (select set_config('transaction_read_only', 'off', true)),
        d as (delete from order_items returning 1 as a) select a from d, s""",
    ],
    "sqlite": [
        "commit; update products set name = 'HACKED'",
        "select 1 as a; update products set name = 'HACKED'",
        "delete from order_items",
        "update products set name = 'HACKED' returning name as a",
        "insert into products(name) values ('HACKED')",
        "create temp table zz(a)",
        "create table zz(a)",
        "pragma query_only=off",
        "pragma writable_schema=on",
        "select name as a from pragma_table_info('products')",
        "attach '{folder}/other.db' as e",
        "vacuum into '{folder}/copy.db'",
        "begin immediate",
        "reindex",
        "select load_extension('x') as a",
        "select hex(zeroblob(900000000)) as a",
    ],
}


@pytest.fixture
def shop(committed: Session) -> Session:
    """A shop with one order, which must be there afterwards as it was."""
    product = make_product(committed, name="Teapot")
    make_order(committed, (product, 1, product.price))
    return committed


def everything(session: Session) -> tuple[list[str], int, int]:
    session.rollback()
    items = session.scalar(sa.text("SELECT count(*) FROM order_items")) or 0
    return list(session.scalars(sa.select(Product.name))), count(session, Order), items


def refuse_all(
    engine: Engine, reports: ReportRunner, folder: Path, after: str, values: dict[str, Value]
) -> None:
    for escape in ESCAPES[engine.dialect.name]:
        report = report_of(escape.format(folder=folder) + after, params=set(values))
        with pytest.raises(UnavailableError, match="could not be run"):
            pytest.fail(f"{escape} gave {reports.run(ACTOR, report, values).rows}")


def test_no_escape_gets_out(
    shop: Session, engine: Engine, reports: ReportRunner, tmp_path: Path
) -> None:
    refuse_all(engine, reports, tmp_path, "", {})

    assert everything(shop) == (["Teapot"], 1, 1)
    assert list(tmp_path.iterdir()) == []
    assert not {"zz", "copied"} & set(sa.inspect(shop.get_bind()).get_table_names())


def test_no_escape_gets_out_beside_a_value_either(
    shop: Session, engine: Engine, reports: ReportRunner, tmp_path: Path
) -> None:
    """With values PostgreSQL speaks another protocol; the outcome is the same."""
    refuse_all(engine, reports, tmp_path, " /* :word */", {"word": "x"})

    assert everything(shop) == (["Teapot"], 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_value_is_never_a_part_of_the_statement(shop: Session, reports: ReportRunner) -> None:
    text = "x'; DROP TABLE tags; --"
    report = report_of("SELECT cast(:word AS varchar(99)) AS a", params={"word"})

    assert reports.run(ACTOR, report, {"word": text}).rows == ((text,),)


def test_an_endless_statement_is_stopped_in_time(shop: Session, reports: ReportRunner) -> None:
    started = time.monotonic()

    with pytest.raises(QueryLimitError, match="took longer than 1 seconds"):
        reports.run(ACTOR, report_of(ENDLESS, timeout_s=1), {})

    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "sql",
    [
        "select pg_sleep(9) as a",
        "select set_config('statement_timeout', '0', true) as a, pg_sleep(9)",
        "select pg_sleep(0.5) as a from generate_series(1, 20)",
    ],
)
def test_postgresql_stops_a_sleeper(
    shop: Session, engine: Engine, reports: ReportRunner, sql: str
) -> None:
    if engine.dialect.name != "postgresql":
        return
    columns = ("a", "pg_sleep") if "set_config" in sql else ("a",)

    with pytest.raises(QueryLimitError):
        reports.run(ACTOR, report_of(sql, columns, timeout_s=1), {})


def test_nothing_stays_behind_in_the_session(
    shop: Session, engine: Engine, reports: ReportRunner
) -> None:
    if engine.dialect.name != "postgresql":
        return
    sql = "SELECT pg_advisory_lock(4711)::text AS a, set_config('lock_timeout', '77', false) AS b"

    reports.run(ACTOR, report_of(sql, ("a", "b")), {})

    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT pg_try_advisory_lock(4711)"))
        assert connection.scalar(sa.text("SHOW lock_timeout")) == "0"


def test_a_login_without_rights_closes_what_a_superuser_leaves_open(
    shop: Session, engine: Engine, reports: ReportRunner
) -> None:
    """Reading the server's files is no write: only the role of REPORTS_DATABASE_URL stops it."""
    if engine.dialect.name != "postgresql":
        return
    role = f"report_ro_{make_url(engine.url).database}"
    sql = "SELECT left(pg_read_file('PG_VERSION'), 2) AS a"
    with shop.get_bind().connect() as admin:  # type: ignore[union-attr]
        admin.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
        admin.execute(sa.text(f"GRANT pg_read_all_data TO {role}"))
        admin.commit()
        narrow = open_engine(engine.url.set(username=role))
        try:
            assert ReportRunner(narrow, 1).run(ACTOR, report_of("SELECT 1 AS a"), {}).rows
            with pytest.raises(UnavailableError, match="could not be run"):
                ReportRunner(narrow, 1).run(ACTOR, report_of(sql), {})
        finally:
            admin.execute(sa.text(f"DROP ROLE {role}"))
            admin.commit()


def test_rows_beyond_the_limit_are_cut_and_said_so(shop: Session, reports: ReportRunner) -> None:
    three = "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3"

    cut = reports.run(ACTOR, report_of(three + " UNION ALL SELECT 4", rows=3), {})
    whole = reports.run(ACTOR, report_of(three, rows=3), {})

    assert (len(cut.rows), cut.is_cut) == (3, True)
    assert (len(whole.rows), whole.is_cut) == (3, False)


def test_a_report_beyond_the_slots_is_refused_and_the_slot_comes_back(
    shop: Session, engine: Engine
) -> None:
    reports = ReportRunner(engine, concurrency=1)
    slow = threading.Thread(target=lambda: _until_stopped(reports))
    slow.start()
    time.sleep(0.3)

    with pytest.raises(UnavailableError, match="Other reports are running"):
        reports.run(ACTOR, report_of("SELECT 1 AS a"), {})

    slow.join()
    assert reports.run(ACTOR, report_of("SELECT 1 AS a"), {}).rows


def _until_stopped(reports: ReportRunner) -> None:
    with pytest.raises(QueryLimitError):
        reports.run(ACTOR, report_of(ENDLESS, timeout_s=1), {})


def test_nobody_runs_a_report_without_the_permission(shop: Session, reports: ReportRunner) -> None:
    with pytest.raises(PermissionDeniedError):
        reports.run(staff_actor(1, "sam", Role.SUPPORT), report_of("SELECT 1 AS a"), {})


def test_other_columns_than_declared_are_refused(shop: Session, reports: ReportRunner) -> None:
    with pytest.raises(UnavailableError, match="gives the columns b, but declares a"):
        reports.run(ACTOR, report_of("SELECT 1 AS b"), {})


def test_a_failure_says_nothing_of_the_statement(shop: Session, reports: ReportRunner) -> None:
    with pytest.raises(UnavailableError) as caught:
        reports.run(ACTOR, report_of("SELECT secret AS a FROM nowhere"), {})

    assert str(caught.value) == "The report “Hostile” could not be run."


def test_a_database_that_does_not_answer_is_said_to_be_that(engine: Engine, tmp_path: Path) -> None:
    nowhere = {"sqlite": f"sqlite:///{tmp_path / 'missing.db'}"}.get(
        engine.dialect.name, "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    )

    with pytest.raises(UnavailableError, match="The database that reports read does not answer"):
        ReportRunner(open_engine(nowhere), 1).run(ACTOR, report_of("SELECT 1 AS a"), {})

    assert list(tmp_path.iterdir()) == []
