"""The stock ledger: openings, sales, deliveries when the shelf runs empty, and what got lost."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime

from backoffice.models import MovementKind
from backoffice.seeding.course import SHOP, STAFF
from backoffice.seeding.plan import Plan
from backoffice.seeding.tables import Row

# (moment, delta, id of the order item)
Event = tuple[datetime, int, int]


def movement_rows(
    plan: Plan, products: list[Row], orders: list[Row], lines: list[Row]
) -> list[Row]:
    """Return what moved, in order of time; for each product it adds up to its stock."""
    rng = plan.stream("ledger")
    events = _events(orders, lines)
    movements: list[Row] = []
    for product in products:
        movements += _Shelf(rng, product, plan.now).play(events.get(product["id"], []))
    return sorted(movements, key=lambda row: row["created_at"])


def _events(orders: list[Row], lines: list[Row]) -> dict[int, list[Event]]:
    """Return sales and cancellations by product, in order of time."""
    by_id = {order["id"]: order for order in orders}
    events: dict[int, list[Event]] = {}
    for line in lines:
        order, found = by_id[line["order_id"]], events.setdefault(line["product_id"], [])
        found.append((order["placed_at"], -line["quantity"], line["id"]))
        if order["cancelled_at"]:
            found.append((order["cancelled_at"], line["quantity_cancelled"], line["id"]))
    for found in events.values():
        found.sort()
    return events


@dataclass(slots=True)
class _Shelf:
    """One product's stock while its past is played."""

    rng: random.Random
    product: Row
    now: datetime
    balance: int = 0
    to_receive: int = 0
    moment: datetime = field(init=False)
    rows: list[Row] = field(default_factory=list)

    def play(self, events: list[Event]) -> list[Row]:
        self.moment = self.product["created_at"]
        self.to_receive = self.product["stock"] - sum(delta for _at, delta, _line in events)
        lot = max(10, 4 * self.product["low_stock_threshold"])
        if self.to_receive > 0:
            self._receive(min(2 * lot, self.to_receive), self.moment, MovementKind.OPENING)
        for moment, delta, line in events:
            if self.balance + delta < 0:
                wanted = max(min(lot, self.to_receive), -delta - self.balance)
                self._receive(wanted, self._before(moment), MovementKind.RECEIVE)
            kind = MovementKind.SALE if delta < 0 else MovementKind.CANCEL
            self._move(kind, delta, moment, order_item_id=line, actor_name=SHOP)
        self._settle(self.product["stock"] - self.balance)
        return self.rows

    def _settle(self, missing: int) -> None:
        """Bring the balance to the stock: the last delivery, or what a count did not find."""
        if missing > 0:
            self._receive(missing, self._before(self.now), MovementKind.RECEIVE)
        elif missing < 0:
            reason = "Stock-take: fewer than booked"
            moment = self._before(self.now)
            self._move(MovementKind.ADJUST, missing, moment, reason=reason, actor_name=STAFF)

    def _receive(self, units: int, moment: datetime, kind: MovementKind) -> None:
        self.to_receive -= units
        self._move(kind, units, moment, actor_name=STAFF)

    def _before(self, moment: datetime) -> datetime:
        """Return a moment between the last movement and this one."""
        return self.moment + (moment - self.moment) * self.rng.uniform(0.3, 0.9)

    def _move(self, kind: MovementKind, delta: int, moment: datetime, **values: object) -> None:
        self.balance += delta
        self.moment = moment
        row = {"order_item_id": None, "refund_item_id": None, "reason": None, "actor_id": None}
        self.rows.append(
            row
            | {
                "product_id": self.product["id"],
                "kind": kind,
                "delta": delta,
                "balance_after": self.balance,
                "created_at": moment,
            }
            | values
        )
