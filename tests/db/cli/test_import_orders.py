"""`flask import-orders`: what it prints, how it fails, and that a crash can be repeated away."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.db import db
from backoffice.models import ChangeSet, Order, OrderItem
from tests.db.services.sales_files import HEADER, line, many_lines, sales_file
from tests.factories import count

ROOT = Path(__file__).resolve().parents[3]


def test_the_summary_counts_everything(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    path = sales_file(tmp_path, line(), line("1002", customer=""), line(quantity=-1), "1,2")

    result = runner.invoke(args=["import-orders", str(path)])

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "sales.csv (utf-8)",
        "Lines                    4",
        "  accepted               2",
        "  credited               0",
        "  unchanged              0",
        "  rejected               2",
        "    Quantity is not > 0  1",
        "    too few columns      1",
        "Orders created           2",
        "Orders unchanged         0",
        "Credit notes created     0",
        "Credit notes unchanged   0",
        "Customers created        1",
        "Products created         1",
        "Categories created       0",
        f"Rejected lines are in {path}.rejected.csv.",
    ]
    assert committed.scalars(sa.select(ChangeSet.source)).one() == "import"


def test_every_option_of_another_layout(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    mapping = tmp_path / "theirs.toml"
    mapping.write_text(
        '[columns]\norder_number="Nr"\nsku="Art"\nquantity="Menge"\nunit_price="Preis"\n'
        'placed_at="Am"\ncustomer="Kunde"\n[dates]\nformats=["%Y-%m-%d"]\n'
        '[defaults]\ncurrency="EUR"\ncountry="Österreich"\n',
        "utf-8",
    )
    path = tmp_path / "sales.txt.gz"
    text = "Nr|Art|Menge|Preis|Am|Kunde\r\n7|Ä1|2|1234,50|24.12.2011|\r\n8|x|1|1|24.12.2011|Zoë\r\n"
    path.write_bytes(gzip.compress(text.encode("cp1252")))
    command = f"import-orders {path} --mapping {mapping} --date-format %d.%m.%Y --decimal-comma"
    options = "--encoding cp1252 --delimiter | --registered-only"

    refused = runner.invoke(args=[*command.split(), *options.split()])
    taken = runner.invoke(args=[*command.split(), *options.split()[:-1]])

    assert re.search(r"Kunde is missing +1\n", refused.output), refused.output
    assert re.search(r"unchanged +1\n", taken.output), taken.output
    guest, order = committed.scalars(sa.select(Order).order_by(Order.number)).all()
    assert (guest.number, guest.user, guest.total_amount) == ("7", None, Decimal("2469.00"))
    assert (order.number, order.currency, order.country) == ("8", "EUR", "Österreich")
    assert order.user is not None
    assert order.user.username == "zoë"


def test_a_dry_run_says_so(committed: Session, runner: FlaskCliRunner, tmp_path: Path) -> None:
    path = sales_file(tmp_path, line())

    result = runner.invoke(args=["import-orders", str(path), "--dry-run"])

    assert result.exit_code == 0
    assert "This was a dry run: the database is unchanged." in result.output
    assert count(committed, Order) == 0


def test_nothing_but_rejected_lines_is_a_failure(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    path = sales_file(tmp_path, line(quantity=0), line(at="never"))

    result = runner.invoke(args=["import-orders", str(path)])

    assert result.exit_code == 1
    assert "Error: No line could be imported: all 2 were rejected." in result.output
    assert Path(f"{path}.rejected.csv").exists()
    assert count(committed, ChangeSet) == 0


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (None, "", "sales.csv does not exist."),
        (b"", "", "sales.csv is empty."),
        (b"\x00\x01\x02\x03" * 99, "", "sales.csv is a binary file, not text."),
        (gzip.compress(HEADER.encode() * 999)[:-9], "", "damaged or incomplete gzip file"),
        (b"a,\xa3\n1,2\n", "--encoding utf-8", "sales.csv is not utf-8 text: see byte 2."),
        (b"a,b\n1,2\n", "", "sales.csv has no column InvoiceNo, StockCode, Description"),
        (HEADER.encode() + b"\n", "", "sales.csv has a header and no lines below it."),
        (HEADER.encode() + b'\n1,"' + b"x" * 10_000_000, "", "Line 2: a field is longer than"),
        (b"a\n", "--mapping none", "There is no mapping 'none'. Known are: online_retail."),
        (b"a\n", "--date-format %Q", "'%Q' is not a date format"),
        (b"a\n", "--delimiter xy", "'xy' cannot separate columns."),
        (b"a\n", "--encoding martian", "Nobody knows the encoding 'martian'."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_and_leaves_nothing(
    committed: Session,
    runner: FlaskCliRunner,
    tmp_path: Path,
    content: bytes | None,
    options: str,
    sentence: str,
) -> None:
    path = tmp_path / "sales.csv"
    if content is not None:
        path.write_bytes(content)

    result = runner.invoke(args=["import-orders", str(path), *options.split()])

    assert result.exit_code == 1
    assert sentence in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert count(committed, Order) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["sales.csv"] * path.exists()


def test_a_second_import_does_not_join_a_running_one(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time by itself; see the locked file below.")
    path = sales_file(tmp_path, line())
    with db.engine.begin() as other:
        other.execute(sa.text("SELECT pg_advisory_xact_lock(7203114001)"))
        refused = runner.invoke(args=["import-orders", str(path)])
    taken = runner.invoke(args=["import-orders", str(path)])

    assert refused.exit_code == 1
    assert "Another import is running. Try again when it has finished." in refused.output
    assert taken.exit_code == 0


def flask_environment(url: str) -> dict[str, str]:
    return os.environ | {
        "APP_ENV": "development",
        "FLASK_APP": "wsgi.py",
        "FLASK_SKIP_DOTENV": "1",
        "SECRET_KEY": "k" * 40,
        "DATABASE_URL": url,
    }


def flask(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env=flask_environment(url),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Path:
    """A SQLite file at head, for commands in processes of their own."""
    if not database_url.startswith("sqlite"):
        pytest.skip("The file of a SQLite database is what this is about.")
    path = tmp_path / "shop.sqlite"
    done = flask(f"sqlite:///{path}", "db", "upgrade")
    assert done.returncode == 0, done.stderr
    return path


def test_a_killed_import_leaves_nothing_and_the_same_command_completes(
    database: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{database}"
    path = sales_file(tmp_path, *many_lines(6_000))
    command = [sys.executable, "-m", "flask", "import-orders", str(path)]
    process = subprocess.Popen(command, cwd=ROOT, env=flask_environment(url))
    while process.poll() is None and not list(tmp_path.glob(".*.part")):
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM products").fetchone() == (0,)

    done = flask(url, "import-orders", str(path))

    assert done.returncode == 0, done.stderr
    with sqlite3.connect(database) as connection:
        lines = connection.execute("SELECT count(*), count(DISTINCT order_id) FROM order_items")
        assert lines.fetchone() == (60_000, 6_000)
    assert not list(tmp_path.glob(".*.part"))


def test_a_locked_database_is_said_in_a_sentence(database: Path, tmp_path: Path) -> None:
    path = sales_file(tmp_path, line())
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        done = flask(f"sqlite:///{database}", "import-orders", str(path))

    assert done.returncode == 1
    assert done.stderr == (
        "Error: The database is locked by another process. Nothing was changed; try again later.\n"
    )


def test_a_read_only_database_is_said_in_a_sentence(database: Path, tmp_path: Path) -> None:
    path = sales_file(tmp_path, line())

    done = flask(f"sqlite:///file:{database}?mode=ro&uri=true", "import-orders", str(path))

    assert (done.returncode, done.stderr) == (
        1,
        "Error: The database is read-only. Nothing was changed.\n",
    )


def test_a_schema_behind_or_ahead_is_said_before_anything_is_read(
    database: Path, tmp_path: Path
) -> None:
    empty = flask(f"sqlite:///{tmp_path}/new.sqlite", "import-orders", "nowhere.csv")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")
    ahead = flask(f"sqlite:///{database}", "import-orders", "nowhere.csv")

    for done in (empty, ahead):
        assert done.returncode == 1
        assert re.fullmatch(r"Error: The database .*\n", done.stderr), done.stderr


def test_a_server_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:9/shop"

    done = flask(url, "import-orders", str(sales_file(tmp_path, line())))

    assert (done.returncode, done.stderr) == (
        1,
        "Error: The database does not answer. Check DATABASE_URL and that the server runs.\n",
    )


def test_items_and_orders_add_up(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    runner.invoke(args=["import-orders", str(sales_file(tmp_path, *many_lines(20)))])

    lines = committed.scalar(sa.select(sa.func.sum(OrderItem.line_total)))
    assert lines == committed.scalar(sa.select(sa.func.sum(Order.total_amount)))
