"""`flask orders`: look at an order, cancel it, refund it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from flask import current_app
from sqlalchemy.orm import Session

from backoffice.cli.base import command, shell_actor
from backoffice.db import db
from backoffice.errors import InputError
from backoffice.models import Order
from backoffice.models.states import fulfilment_state, payment_state
from backoffice.services.orders import cancel_order, find_order
from backoffice.services.previews import CancelPreview, preview_cancel, preview_refund
from backoffice.services.refund_lines import LineState
from backoffice.services.refund_requests import Parts, RefundLine
from backoffice.services.refunds import plan_refund, request_refund
from backoffice.services.shop import Shop


class _Amount(click.ParamType[Decimal]):
    """An amount of money, such as 12.50."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount. Write it like 12.50.", param, ctx)


class _Units(click.ParamType[tuple[str, int]]):
    """So many units of a SKU, such as LAMP-1=2."""

    name = "sku=units"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        sku, _equals, units = str(value).rpartition("=")
        if not sku or not units.isdecimal():
            self.fail(f"{value!r} is not units of a SKU. Write it like LAMP-1=2.", param, ctx)
        return sku.upper(), int(units)


_NOTHING = Decimal(0)


@click.group("orders")
def orders() -> None:
    """Look at an order, cancel it, refund it."""


@command("show")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def show(number: str, as_json: bool) -> None:
    """Show an order: its states, its lines, its money and what happened to it."""
    session = db.session()
    facts = _facts(session, find_order(session, number))
    click.echo(json.dumps(facts, indent=2) if as_json else _lines(facts))


@command("cancel")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it is kept with the order.")
@click.option("--note", help="What colleagues should know.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and change nothing.")
def cancel(number: str, reason: str, note: str | None, dry_run: bool) -> None:
    """Cancel an order of which nothing has left: stock comes back, money is refunded."""
    session, actor, shop = db.session(), shell_actor(), Shop.of(current_app.config)
    order = find_order(session, number)
    preview = preview_cancel(session, actor, order, shop)
    told = _told_cancellation(order, preview)
    if not dry_run:
        cancel_order(
            actor, order.id, reason=reason, note=note, shop=shop, expected_version=order.version
        )
    elif preview.refused:
        raise InputError(preview.refused)
    click.echo(f"{'Would cancel' if dry_run else 'Cancelled'} {order.number}. {told}")


@command("refund")
@click.argument("number")
@click.option("--line", "lines", type=_Units(), multiple=True, help="Units of a SKU to refund.")
@click.option("--restock", type=_Units(), multiple=True, help="Of these, units to put back.")
@click.option("--shipping", type=_Amount(), default=_NOTHING, help="How much of the shipping.")
@click.option("--other", type=_Amount(), default=_NOTHING, help="Money that is for no line.")
@click.option("--reason", required=True, help="Why; it is kept with the refund.")
@click.option("--note", help="What colleagues should know.")
@click.option("--key", help="The same key again makes no second refund.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and change nothing.")
def refund(
    number: str,
    lines: tuple[tuple[str, int], ...],
    restock: tuple[tuple[str, int], ...],
    shipping: Decimal,
    other: Decimal,
    reason: str,
    note: str | None,
    key: str | None,
    dry_run: bool,
) -> None:
    """Reserve money of an order to be given back; it is pending until it was sent."""
    session, actor, shop = db.session(), shell_actor(), Shop.of(current_app.config)
    order = find_order(session, number)
    states = preview_refund(session, actor, order, shop).lines
    asked = _refund_lines(states, lines, restock)
    if dry_run:
        parts = plan_refund(
            session, order, lines=asked, shipping_amount=shipping, other_amount=other
        )
        click.echo(f"Would refund {_told_parts(parts)} {order.currency} of {order.number}.")
        return
    made = request_refund(
        actor,
        order.id,
        lines=asked,
        shipping_amount=shipping,
        other_amount=other,
        reason=reason,
        note=note,
        key=key or f"command-{secrets.token_hex(16)}",
        shop=shop,
    )
    click.echo(f"Refund {made.number} of {made.amount} {made.currency} is {made.status.value}.")


def _refund_lines(
    states: Sequence[LineState],
    lines: Sequence[tuple[str, int]],
    restock: Sequence[tuple[str, int]],
) -> list[RefundLine]:
    """Return the lines of those SKUs; raise InputError for others and for SKUs on several lines."""
    put_back = dict(restock)
    if len(dict(lines)) < len(lines) or len(put_back) < len(restock):
        raise InputError("Name each SKU once.")
    if unknown := put_back.keys() - dict(lines).keys():
        raise InputError(f"{min(unknown)} is to be put back, but no --line refunds it.")
    found = []
    for sku, units in lines:
        of_sku = [state.item.id for state in states if state.item.sku == sku]
        if len(of_sku) != 1:
            count = "no line" if not of_sku else "several lines"
            raise InputError(f"The order has {count} of {sku}. Use the console for it.")
        found.append(RefundLine(of_sku[0], units, put_back.get(sku, 0)))
    return found


def _told_cancellation(order: Order, preview: CancelPreview) -> str:
    units = sum(units for _item, units in preview.give_back)
    return (
        f"Units back in stock: {units}. To be refunded: {preview.refund_amount} {order.currency}."
    )


def _told_parts(parts: Parts) -> str:
    units = sum(part.quantity for part in parts.lines)
    back = sum(part.restock_quantity for part in parts.lines)
    return f"{units} units (back in stock: {back}) with {parts.amount}"


def _facts(session: Session, order: Order) -> dict[str, Any]:
    preview = preview_refund(session, shell_actor(), order, Shop.of(current_app.config))
    return {
        "number": order.number,
        "status": order.status.value,
        "payment": payment_state(order.total_amount, order.payments).value,
        "fulfilment": fulfilment_state(order.items).value,
        "customer": order.user.username if order.user else None,
        "email": order.email,
        "placed_at": order.placed_at.isoformat(timespec="seconds"),
        "currency": order.currency,
        "total": str(order.total_amount),
        "refundable": str(preview.refundable_amount),
        "lines": [
            {
                "sku": state.item.sku,
                "name": state.item.product_name,
                "quantity": state.item.quantity,
                "shipped": state.item.quantity_shipped,
                "cancelled": state.item.quantity_cancelled,
                "refunded": state.refunded_quantity,
                "total": str(state.item.line_total),
            }
            for state in preview.lines
        ],
        "events": [
            {
                "at": event.created_at.isoformat(timespec="seconds"),
                "what": str(event),
                "to": event.to_status.value if event.to_status else None,
                "by": event.actor_name,
                "text": event.body,
            }
            for event in order.events
        ],
    }


def _lines(facts: dict[str, Any]) -> str:
    buyer = facts["customer"] or facts["email"] or "guest"
    told = [
        f"Order {facts['number']} of {buyer}, placed {facts['placed_at']}",
        f"  {facts['status']}; payment: {facts['payment']}; goods: {facts['fulfilment']}",
        f"  total {facts['total']} {facts['currency']}, refundable {facts['refundable']}",
    ]
    told += [
        f"  {line['quantity']} × {line['sku']} {line['name']}: {line['total']} (shipped"
        f" {line['shipped']}, cancelled {line['cancelled']}, refunded {line['refunded']})"
        for line in facts["lines"]
    ]
    for event in facts["events"]:
        to = f" → {event['to']}" if event["to"] else ""
        text = f": {event['text']}" if event["text"] else ""
        told.append(f"  {event['at']} {event['what']}{to} by {event['by']}{text}")
    return "\n".join(told)


for _command in (show, cancel, refund):
    orders.add_command(_command)
