"""`flask stock`: compare the stock with its ledger, and correct it."""

from __future__ import annotations

import click
import sqlalchemy as sa

from backoffice.cli.base import command, shell_actor
from backoffice.db import db
from backoffice.errors import NotFoundError, QueryLimitError, StaleRecordError
from backoffice.models import Product
from backoffice.reports.connections import open_engine
from backoffice.reports.quality.check import Finding, examine
from backoffice.reports.quality.goods import LEDGER
from backoffice.reports.runner import ReportRunner
from backoffice.services.stock_keeping import Count, adjust_stock, count_stock
from backoffice.services.stock_ledger import reconcile_ledger
from backoffice.services.stock_levels import read_committed

DIFFERS = 3
SHOWN = 50


@click.group("stock")
def stock() -> None:
    """Compare the stock with its ledger, and correct it."""


@command("reconcile")
@click.option("--timeout", type=click.IntRange(1, 3600), default=600, help="Seconds. Default: 600.")
@click.option("--write-corrections", is_flag=True, help="Add what is missing to the ledger.")
@click.option("--reason", default="", help="Why, for the ledger; needed to write.")
def reconcile(timeout: int, write_corrections: bool, reason: str) -> None:
    """Tell the products whose stock is not the sum of their movements.

    The exit code is 0 when there are none or all were corrected, 3 when there are some. A
    correction adds an entry to the ledger; the stock itself stays as it is.
    """
    if write_corrections and not reason.strip():
        raise click.UsageError("--write-corrections needs --reason.")
    finding = _examine(timeout)
    while write_corrections and finding.rows:
        corrections = reconcile_ledger(
            shell_actor(), [row.id for row in finding.rows], reason=reason
        )
        for one in corrections:
            click.echo(f"{one.product}: {one.stock - one.ledger:+} in the ledger.")
        finding = _examine(timeout)
        if not corrections:
            break
    for row in finding.rows[:SHOWN]:
        click.echo(f"{row.label}: {row.found} in stock, {row.expected} by the ledger.")
    if len(finding.rows) > SHOWN:
        click.echo("…")
    if finding.rows:
        noun = "product differs from its" if finding.count == "1" else "products differ from their"
        click.echo(f"{finding.count} {noun} ledger.")
        click.get_current_context().exit(DIFFERS)
    click.echo("The stock of every product is the sum of its movements.")


@command("adjust")
@click.argument("sku")
@click.option("--by", "delta", type=int, help="The difference, such as 3 or -3.")
@click.option("--counted", type=click.IntRange(0), help="What lies in the store.")
@click.option("--expected", type=click.IntRange(0), help="What was on hand before counting.")
@click.option("--reason", required=True, help="Why, for the ledger.")
def adjust(
    sku: str, delta: int | None, counted: int | None, expected: int | None, reason: str
) -> None:
    """Correct the stock of a product, by a difference or to what was counted.

    What open orders wait for is counted, too. With --expected nothing is written when the stock
    has changed meanwhile.
    """
    if (delta is None) == (counted is None):
        raise click.UsageError("Give either --by or --counted.")
    product = db.session.scalar(sa.select(Product).where(Product.sku == sku.strip().upper()))
    if product is None:
        raise NotFoundError(f"There is no product {sku}.")
    key, name = product.id, str(product)
    if counted is None:
        left = adjust_stock(shell_actor(), key, delta=delta or 0, reason=reason)
        click.echo(f"{name}: {left} for sale.")
        return
    on_hand = product.stock + read_committed(db.session(), [key])[key]
    count = Count(key, counted, on_hand if expected is None else expected)
    take = count_stock(shell_actor(), [count], reason=reason)
    if take.refused:
        raise StaleRecordError(f"{name}: {take.refused[key]}")
    click.echo(f"{name}: {counted} on hand, {take.differences[key]:+}.")


stock.add_command(reconcile)
stock.add_command(adjust)


def _examine(timeout_s: int) -> Finding:
    # Not what reports read: a replica may be behind what was just corrected.
    runner = ReportRunner(open_engine(db.engine.engine.url), concurrency=1)
    finding = examine(runner, LEDGER, timeout_s)
    if finding.problem:
        raise QueryLimitError(finding.problem)
    return finding
