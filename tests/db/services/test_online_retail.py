"""The published figures of the Online Retail data come out to the penny, from either file."""

from __future__ import annotations

import csv
import gzip
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.models import Order, Refund, RefundItem
from backoffice.services.imports import ImportSummary, import_orders
from tests.db.services.test_imports import RULES

FOLDER = os.environ.get("ONLINE_RETAIL_DIR", "")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="ONLINE_RETAIL_DIR names no folder with the Online Retail files."
)
UTF8, LATIN1 = "online_retail_iso_utf8.csv.gz", "OnlineRetail.latin1_lf.csv.gz"
MONTHS = """
SELECT substr(CAST(o.paid_on AS TEXT), 1, 7) AS month, count(DISTINCT o.id),
       count(DISTINCT o.user_id), sum(CAST(round(o.total_amount * 100) AS BIGINT)) FROM orders o
GROUP BY 1 ORDER BY 1
"""
TOP = """
SELECT u.username, sum(CAST(round(o.total_amount * 100) AS BIGINT)) AS cents, count(*)
FROM orders o JOIN users u ON u.id = o.user_id GROUP BY 1 ORDER BY 2 DESC LIMIT 10
"""


def expected(name: str) -> Iterator[dict[str, str]]:
    with (Path(FOLDER) / "expected" / name).open(newline="") as file:
        yield from csv.DictReader(file)


def load(shell: Actor, folder: Path, name: str, **changes: Any) -> ImportSummary:
    path = folder / name
    shutil.copyfile(Path(FOLDER) / name, path)
    return import_orders(shell, path, replace(RULES, **changes))


def months(session: Session) -> list[tuple[str, int, int, Decimal]]:
    return [
        (month.replace("-", ""), orders, customers, Decimal(int(cents)) / 100)
        for month, orders, customers, cents in session.execute(sa.text(MONTHS))
    ]


def given_back(session: Session) -> dict[str, Decimal]:
    """What the notes give back, by the shop's month."""
    rows = session.execute(
        sa.select(Refund.processed_on, RefundItem.amount).join(RefundItem.refund)
    )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for day, amount in rows:
        assert day is not None
        sums[f"{day:%Y%m}"] += amount
    return dict(sums)


def cancelled_in_the_file(name: str) -> dict[str, Decimal]:
    """The same from the file itself, each line rounded to cents as each line of a sale is."""
    moment = "%Y-%m-%d %H:%M:%S" if name == UTF8 else "%m/%d/%Y %H:%M"
    encoding = "utf-8" if name == UTF8 else "latin-1"
    sums: dict[str, Decimal] = defaultdict(Decimal)
    with gzip.open(Path(FOLDER) / name, "rt", encoding=encoding, newline="") as file:
        for row in csv.DictReader(file):
            if row["InvoiceNo"].startswith("C"):
                amount = -int(row["Quantity"]) * Decimal(row["UnitPrice"])
                cents = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
                day = datetime.strptime(row["InvoiceDate"], moment)  # noqa: DTZ007  a day is all it is
                sums[f"{day:%Y%m}"] += cents
    return dict(sums)


@pytest.mark.parametrize("name", [UTF8, LATIN1])
def test_guests_allowed_every_month_is_as_published(
    session: Session, shell: Actor, tmp_path: Path, name: str
) -> None:
    summary = load(shell, tmp_path, name)

    assert (summary.lines, summary.accepted, summary.orders) == (541_909, 530_104, 19_960)
    assert (summary.credited, summary.credit_notes) == (9_288, 3_836)
    assert summary.rejected == {"Quantity is not > 0": 1_336, "UnitPrice is not > 0": 1_181}
    assert given_back(session) == cancelled_in_the_file(name)
    published = list(expected("monthly_all_positive_sales.csv"))
    found = months(session)
    assert [row[:3] for row in found] == [
        (row["month"], int(row["distinct_invoices"]), int(row["distinct_customers"]))
        for row in published
    ]
    for row, figures in zip(found, published, strict=True):
        assert abs(row[3] - Decimal(figures["revenue"])) <= Decimal("0.05")

    again = load(shell, tmp_path, name)

    assert (again.accepted, again.credited, again.unchanged) == (0, 0, 539_392)
    assert (again.orders_unchanged, again.credit_notes_unchanged) == (19_960, 3_836)
    assert months(session) == found
    # The two files say the same, in another encoding and with other dates.
    other = load(shell, tmp_path, LATIN1 if name == UTF8 else UTF8)
    assert (other.accepted, other.credited, other.unchanged) == (0, 0, 539_392)


def test_registered_only_months_and_top_customers_are_as_published(
    session: Session, shell: Actor, tmp_path: Path
) -> None:
    summary = load(shell, tmp_path, UTF8, registered_only=True)

    assert (summary.accepted, summary.orders) == (397_884, 18_532)
    bought = session.scalar(sa.select(sa.func.count(sa.distinct(Order.user_id))))
    # 33 more are known by their credit notes alone.
    assert (bought, summary.customers) == (4_338, 4_371)
    published = list(expected("monthly_revenue_identified_sales.csv"))
    for row, figures in zip(months(session), published, strict=True):
        assert row[0] == figures["month"]
        assert abs(row[3] - Decimal(figures["revenue"])) <= Decimal("0.05")
    for found, best in zip(
        session.execute(sa.text(TOP)), expected("top_customers_identified_sales.csv"), strict=True
    ):
        assert (found[0], found[2]) == (best["customer"], int(best["orders"]))
        assert abs(Decimal(int(found[1])) / 100 - Decimal(best["revenue"])) <= Decimal("0.01")
