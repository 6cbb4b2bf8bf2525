"""Net sales: what was given back counts in the month in which it was given back."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from backoffice.models import RefundStatus
from tests.db.reports.conftest import Run
from tests.db.reports.test_revenue import at, sale
from tests.factories import make_payment, make_refund, make_user

D = Decimal


def test_a_refund_never_changes_the_month_of_the_sale(committed: Session, run: Run) -> None:
    order = sale(committed, "2026-01-10", "100.00", user=make_user(committed))
    sale(committed, "2026-03-05", "0.10")
    payment, line = make_payment(committed, order), order.items[0]
    make_refund(committed, payment, (line, 1, D("60.05")), processed_at=at("2026-03-31"))
    make_refund(committed, payment, (line, 0, D("1.00")), status=RefundStatus.FAILED)
    make_refund(committed, payment, (line, 0, D("2.00")), status=RefundStatus.PENDING)

    result = run("net_sales_by_month", from_="2026-01-01", to="2026-04-01")

    assert result.rows == (
        ("2026-01", D("100.00"), D("0.00"), D("100.00"), D("100.00")),
        ("2026-02", D("0.00"), D("0.00"), D("0.00"), D("100.00")),
        ("2026-03", D("0.10"), D("60.05"), D("-59.95"), D("40.05")),
    )
    assert result.totals() == {
        "revenue": D("100.10"), "refunds": D("60.05"), "net": D("40.05"),
    }  # fmt: skip


def test_registered_leaves_out_the_guests_refunds_too(committed: Session, run: Run) -> None:
    order = sale(committed, "2026-01-10", "10.00")
    make_refund(
        committed, make_payment(committed, order), (order.items[0], 1, D("10.00")),
        processed_at=at("2026-01-11"),
    )  # fmt: skip

    period = {"from_": "2026-01-01", "to": "2026-02-01"}
    assert run("net_sales_by_month", **period).totals()["net"] == D("0.00")
    assert run("net_sales_by_month", **period, customers="registered").totals() == {
        "revenue": D("0.00"), "refunds": D("0.00"), "net": D("0.00"),
    }  # fmt: skip
