"""Counting many products at once: look at the differences first, then keep the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask_admin import expose
from sqlalchemy.orm import load_only, with_expression

from backoffice.access import Permission
from backoffice.admin.guards import Page, current_actor
from backoffice.db import db
from backoffice.errors import BackofficeError
from backoffice.models import Product
from backoffice.services.order_steps import LONGEST_REASON
from backoffice.services.stock_keeping import MOST_COUNTS, MOST_UNITS, Count, count_stock
from backoffice.services.stock_levels import committed_units

BLANKS = 5
_USUAL_REASON = "Stock-take"


@dataclass(slots=True)
class Row:
    """A line of the form; `expected` is what the person was shown as on hand, by `seen` SKU."""

    sku: str = ""
    counted: str = ""
    seen: str = ""
    expected: int | None = None
    product: Product | None = None
    error: str = ""

    @property
    def number(self) -> int | None:
        """The count, None while there is none that can be used."""
        text = self.counted
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        return int(text) if is_number and int(text) <= MOST_UNITS else None

    @property
    def is_ready(self) -> bool:
        """Whether the count can be kept: the person has seen what it is compared with."""
        return not self.error and self.number is not None and self.expected is not None

    @property
    def difference(self) -> int | None:
        """How far the count is off."""
        if self.number is None or self.expected is None:
            return None
        return self.number - self.expected


class StockTakePage(Page):
    """One form for many counts; works with a scanner that ends each code with Enter."""

    read = Permission.STOCK_ADJUST

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        """Show the form, check it, or keep the counts that were checked."""
        rows = _read()
        reason = request.form.get("reason", _USUAL_REASON)
        was_shown = {id(row) for row in rows if row.seen == row.sku}
        _look_up(rows)
        problem = ""
        if request.form.get("do") == "save":
            ready = [row for row in rows if row.is_ready and id(row) in was_shown]
            try:
                rows = _save(rows, ready, reason)
            except BackofficeError as error:
                problem = str(error)
            if not rows:
                return redirect(url_for(".index"), 303)
        is_refused = bool(problem) or any(row.error for row in rows)
        rows += [Row() for _ in range(min(BLANKS, MOST_COUNTS - len(rows)))]
        page = self.render(
            "admin/stock_take/index.html",
            rows=rows,
            reason=reason,
            longest_reason=LONGEST_REASON,
            problem=problem,
            focus=_focus(rows),
            can_save=any(row.is_ready for row in rows),
        )
        return page, 422 if is_refused and request.method == "POST" else 200


def _read() -> list[Row]:
    """Return the rows of the form, or of the address, that have a SKU or a count."""
    columns = [request.form.getlist(name) for name in ("sku", "counted", "seen", "expected")]
    if request.method != "POST":
        skus = request.args.getlist("sku")
        columns = [skus, *([""] * len(skus) for _ in range(3))]
    rows = []
    for sku, counted, seen, expected in zip(*columns, strict=False):
        is_number = expected.isascii() and expected.isdigit() and len(expected) < 10
        row = Row(sku.replace("\0", "").strip().upper()[:64], counted.strip()[:20], seen)
        row.expected = int(expected) if is_number and seen == row.sku else None
        if row.sku or row.counted:
            rows.append(row)
    return rows[:MOST_COUNTS]


def _look_up(rows: Sequence[Row]) -> None:
    """Find the products, in one statement, and say what is wrong with each row."""
    statement = (
        sa.select(Product)
        .where(Product.sku.in_({row.sku for row in rows}))
        .options(
            load_only(Product.sku, Product.name, Product.stock),
            with_expression(Product.committed, committed_units(Product.id)),
        )
    )
    products = {one.sku: one for one in db.session.scalars(statement)} if rows else {}
    db.session.expunge_all()
    above: set[str] = set()
    for row in rows:
        row.product = products.get(row.sku)
        row.error = _mistake(row, above)
        above.add(row.sku)
        if row.product is not None and row.expected is None:
            row.expected, row.seen = row.product.on_hand, row.sku


def _mistake(row: Row, above: set[str]) -> str:
    if not row.sku:
        return "Enter the SKU."
    if row.product is None:
        return "There is no product with this SKU."
    if row.sku in above:
        return "This SKU is above already."
    if row.counted and row.number is None:
        return f"Enter a whole number from 0 to {MOST_UNITS:,}."
    return ""


def _save(rows: list[Row], ready: Sequence[Row], reason: str) -> list[Row]:
    """Keep the counts that are ready; return the rows that are not kept, and say why."""
    by_product = {row.product.id: row for row in ready if row.product is not None}
    counts = [Count(key, row.number or 0, row.expected or 0) for key, row in by_product.items()]
    take = count_stock(current_actor(), counts, reason=reason)
    for key, sentence in take.refused.items():
        row = by_product[key]
        row.error, row.expected = f"{sentence} You had entered {row.counted}.", None
        row.counted = ""
    if take.differences:
        off = sum(1 for difference in take.differences.values() if difference)
        noun = "count is" if len(take.differences) == 1 else "counts are"
        words = f"{len(take.differences)} {noun} kept, {off or 'none'} of them with a difference."
        flash(words, "success")
    kept = {id(by_product[key]) for key in take.differences}
    left = [row for row in rows if id(row) not in kept]
    _show_again([row for row in left if row.expected is None and row.product is not None])
    return left


def _show_again(rows: Sequence[Row]) -> None:
    """Compare the next count of refused rows with what there is now."""
    errors = [row.error for row in rows]
    _look_up(rows)
    for row, error in zip(rows, errors, strict=True):
        row.error = error


def _focus(rows: Sequence[Row]) -> str:
    """Return the id of the field to go on with: a missing count, else the next SKU."""
    for number, row in enumerate(rows, 1):
        if row.product is not None and row.number is None:
            return f"counted-{number}"
        if row.error or not row.sku:
            return f"sku-{number}"
    return ""
