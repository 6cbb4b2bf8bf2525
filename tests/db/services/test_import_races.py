"""An import of credit notes beside people who refund the same sales.

Every test commits for real.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.formats.mappings import load_mapping
from backoffice.models import OrderItem, Product
from backoffice.services import refunds
from backoffice.services.imports import ImportRules, import_orders
from backoffice.services.refund_requests import RefundLine
from backoffice.services.refunds import request_refund, settle_refund
from tests.db.services.sales_files import line, sales_file
from tests.db.services.shopping import SHOP

MAPPING = load_mapping(Path("seeds/mappings/online_retail.toml"))
RULES = ImportRules(MAPPING, ZoneInfo("Europe/London"), "USD")
JULY, AUGUST = "2011-07-01 12:00:00", "2011-08-01 12:00:00"
# Each article was sold by another order, so that the note leads to no order as a whole.
SALES = [line("1001", "A1", at=JULY), line("1002", "B2", at=JULY)]
NOTE = [line("C1", sku, quantity=-1, at=AUGUST) for sku in ("A1", "B2")]
LATER = line("1003", "A1", at=AUGUST, customer="17851")


def while_held(
    app: Flask, monkeypatch: pytest.MonkeyPatch, name: str, first: Any, second: Any
) -> list[Any]:
    """Begin the one, stop it where it calls `name`, begin the other, and let both go on."""
    stopped, go_on = Event(), Event()
    called = getattr(refunds, name)

    def stop(*args: Any, **values: Any) -> Any:
        stopped.set()
        assert go_on.wait(30)
        return called(*args, **values)

    def work(task: Any) -> Any:
        with app.app_context():
            return task()

    monkeypatch.setattr(refunds, name, stop)
    with ThreadPoolExecutor(2) as pool:
        begun: list[Future[Any]] = [pool.submit(work, first)]
        assert stopped.wait(30)
        begun.append(pool.submit(work, second))
        # Long enough to come as far as it can; it is the same if it does not.
        Event().wait(1)
        go_on.set()
        return [each.result(60) for each in begun]


def sold(session: Session, sku: str) -> OrderItem:
    return session.scalars(
        sa.select(OrderItem).where(OrderItem.sku == sku).order_by(OrderItem.id).limit(1)
    ).one()


def test_a_note_and_a_refund_of_one_line_both_count(
    app: Flask,
    committed: Session,
    shell: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_orders(shell, sales_file(tmp_path, *SALES), RULES)
    item = sold(committed, "A1")
    asked = [RefundLine(item.id, 1)]
    key = request_refund(shell, item.order_id, lines=asked, reason="x", key="k", shop=SHOP).id
    committed.commit()
    notes = sales_file(tmp_path, *NOTE, name="notes.csv")

    _refund, summary = while_held(
        app,
        monkeypatch,
        "_finish",
        lambda: settle_refund(shell, key, shop=SHOP),
        lambda: import_orders(shell, notes, RULES),
    )

    assert summary.linked == 2
    committed.expire_all()
    assert (sold(committed, "A1").quantity_refunded, sold(committed, "B2").quantity_refunded) == (
        2,
        1,
    )


def test_goods_are_put_back_while_an_import_sells_them(
    app: Flask,
    committed: Session,
    shell: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_orders(shell, sales_file(tmp_path, *SALES), RULES)
    order_id, item_id = sold(committed, "A1").order_id, sold(committed, "A1").id
    committed.commit()
    notes = sales_file(tmp_path, NOTE[0], LATER, name="notes.csv")

    refund, summary = while_held(
        app,
        monkeypatch,
        "_lock_restocked",
        lambda: (
            request_refund(
                shell, order_id, lines=[RefundLine(item_id, 1, 1)], reason="x", key="k", shop=SHOP
            ).number
        ),
        lambda: import_orders(shell, notes, RULES),
    )

    assert (refund, summary.orders, summary.credit_notes) == ("R100001", 1, 1)
    committed.expire_all()
    assert committed.scalar(sa.select(Product.stock).where(Product.sku == "A1")) == 1
