"""The steps of an order: what each does with what was typed, and what its form shows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from flask import current_app, request

from backoffice.access import Actor
from backoffice.admin.order_acts import left_to_ship
from backoffice.admin.order_input import Typed
from backoffice.db import db
from backoffice.models import Order
from backoffice.services.amounts import NOTHING
from backoffice.services.orders import cancel_order, complete_order, ship_order, start_processing
from backoffice.services.payments import amount_due, capture_payment
from backoffice.services.previews import RefundPreview, preview_cancel, preview_refund
from backoffice.services.refund_lines import LineState
from backoffice.services.refund_requests import Parts
from backoffice.services.refunds import plan_refund, request_refund
from backoffice.services.shop import Shop

MOST_WORTHS = 100
PROVIDERS = ("bank transfer", "card", "cash", "external")
REASONS = (
    "The customer changed their mind",
    "The payment did not come",
    "Fraud",
    "Out of stock",
    "Our mistake",
)
REFUND_REASONS = ("Damaged", "Wrong item", "Returned", "Arrived late", "Goodwill")


def shop() -> Shop:
    """Return the shop of this installation."""
    return Shop.of(current_app.config)


# What each step does; the sentence is for the person who did it.


def _capture(actor: Actor, order_id: int, typed: Typed) -> str:
    amount, version = typed.amount("amount"), typed.key("version")
    typed.require_readable()
    payment = capture_payment(
        actor, order_id, amount=NOTHING if amount is None else amount,
        provider=typed.text("provider"), reference=typed.text("reference"), shop=shop(),
        expected_version=version,
    )  # fmt: skip
    return f"{payment.captured_amount} are booked."


def _ship(actor: Actor, order_id: int, typed: Typed) -> str:
    version = typed.key("version")
    names = [name for name in request.form if name.startswith("lines.")]
    units = {name: typed.units(name) for name in names}
    typed.require_readable()
    quantities = {int(n.split(".")[1]): u for n, u in units.items() if u and _is_line(n)}
    order = ship_order(
        actor, order_id, quantities=quantities, tracking=typed.text("tracking"),
        expected_version=version,
    )  # fmt: skip
    return f"{sum(quantities.values())} units of {order.number} are shipped."


def _is_line(name: str) -> bool:
    key = name.split(".")[1]
    return key.isascii() and key.isdigit() and len(key) < 19


def _process(actor: Actor, order_id: int, typed: Typed) -> str:
    order = start_processing(actor, order_id, expected_version=typed.key("version"))
    return f"{order.number} is being packed."


def _complete(actor: Actor, order_id: int, typed: Typed) -> str:
    order = complete_order(actor, order_id, expected_version=typed.key("version"))
    return f"{order.number} is completed."


def _cancel(actor: Actor, order_id: int, typed: Typed) -> str:
    order = cancel_order(
        actor, order_id, reason=typed.text("reason"), note=typed.text("note"), shop=shop(),
        expected_version=typed.key("version"),
    )  # fmt: skip
    return f"{order.number} is cancelled."


def _refund(actor: Actor, order_id: int, typed: Typed) -> str:
    asked = _refund_asked(db.session.get_one(Order, order_id), typed)
    payment = typed.key("payment") if typed.text("payment") else None
    version = typed.key("version")
    typed.require_readable()
    refund = request_refund(
        actor, order_id, **asked, reason=typed.text("reason"), note=typed.text("note"),
        key=typed.text("key"), payment_id=payment, shop=shop(), expected_version=version,
    )  # fmt: skip
    return f"{refund.number}: {refund.amount} {refund.currency} are reserved to be given back."


def _refund_asked(order: Order, typed: Typed) -> dict[str, Any]:
    return {
        "lines": typed.refund_lines([item.id for item in order.items]),
        "shipping_amount": typed.amount("shipping_amount") or NOTHING,
        "other_amount": typed.amount("other_amount") or NOTHING,
    }


def planned(order: Order, typed: Typed) -> Parts:
    """Return what a refund would be made of; raise what it would be refused with."""
    asked = _refund_asked(order, typed)
    typed.require_readable()
    return plan_refund(db.session(), order, **asked)


STEPS: dict[str, Callable[[Actor, int, Typed], str]] = {
    "capture": _capture,
    "ship": _ship,
    "process": _process,
    "complete": _complete,
    "cancel": _cancel,
    "refund": _refund,
}

# What the form of each step shows.


def _capture_facts(_actor: Actor, order: Order, _typed: Typed) -> dict[str, Any]:
    return {"due": amount_due(order), "providers": PROVIDERS}


def _ship_facts(_actor: Actor, order: Order, _typed: Typed) -> dict[str, Any]:
    return {"left": left_to_ship(order)}


def _cancel_facts(actor: Actor, order: Order, _typed: Typed) -> dict[str, Any]:
    preview = preview_cancel(db.session(), actor, order, shop())
    return {"preview": preview, "reasons": REASONS}


def _refund_facts(actor: Actor, order: Order, typed: Typed) -> dict[str, Any]:
    preview = preview_refund(db.session(), actor, order, shop())
    if "all" in request.args and request.method == "GET":
        _fill_all(preview, typed)
    return {
        "preview": preview,
        "reasons": REFUND_REASONS,
        "key": typed.value("key") or secrets.token_urlsafe(16),
        "limit": shop().refund_limit,
        "worth": _worth,
    }


def _worth(line: LineState) -> str:
    """Return what 0, 1, 2… units of a line are worth, for a script; of too many, nothing."""
    units = line.remaining_quantity if line.remaining_quantity <= MOST_WORTHS else 0
    return json.dumps([str(line.amount_of(number)) for number in range(units + 1)])


def _fill_all(preview: RefundPreview, typed: Typed) -> None:
    for line in preview.lines:
        units = line.remaining_quantity
        typed.fill(f"lines.{line.item.id}.quantity", units)
        back = min(units, line.unshipped_quantity, line.restockable_quantity)
        typed.fill(f"lines.{line.item.id}.restock_quantity", back)
        if line.remaining_amount:
            typed.fill(f"lines.{line.item.id}.amount", preview.prefilled(line))
    if preview.shipping_amount:
        typed.fill("shipping_amount", preview.shipping_amount)


FACTS: dict[str, Callable[[Actor, Order, Typed], dict[str, Any]]] = {
    "capture": _capture_facts,
    "ship": _ship_facts,
    "cancel": _cancel_facts,
    "refund": _refund_facts,
}
