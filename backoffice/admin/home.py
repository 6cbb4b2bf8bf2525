"""The first page of the console: what waits today, and how the shop does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app, url_for
from flask_admin import AdminIndexView, expose
from flask_login import current_user
from sqlalchemy.orm import joinedload, load_only

from backoffice.access import Permission
from backoffice.admin.formatters import shop_zone
from backoffice.admin.guards import Guarded, current_actor
from backoffice.db import db
from backoffice.models import Order, User
from backoffice.reports.home import COUNTED, Revenue, count_queues, recent_revenue

NEWEST = 8
# {queue: (permission, words, what to do, endpoint of its list, the list's filters)}
_QUEUES: dict[str, tuple[Permission, str, str, str, dict[str, Any]]] = {
    "to_pay": (
        Permission.ORDER_READ,
        "To pay",
        "Placed, and no payment yet",
        "orders",
        {"status": "pending"},
    ),
    "to_ship": (
        Permission.ORDER_READ,
        "To ship",
        "Paid, and not sent yet",
        "orders",
        {"status": ["paid", "processing"]},
    ),
    "low_stock": (
        Permission.CATALOGUE_READ,
        "Low stock",
        "For sale, at or below the threshold",
        "products",
        {"low_stock": "yes"},
    ),
}


class HomePage(Guarded, AdminIndexView):
    """Where every member of staff arrives; each sees what their permissions allow."""

    def is_accessible(self) -> bool:
        """Whether this person has signed in."""
        return bool(current_user.is_authenticated)

    @expose("/")
    def index(self) -> Any:
        """Show the queues, the revenue and the newest orders."""
        actor = current_actor()
        return self.render(
            "admin/home/index.html",
            queues=_queues(),
            revenue=_revenue() if actor.can(Permission.REPORT_READ) else None,
            newest=_newest() if actor.can(Permission.ORDER_READ) else None,
        )


def _queues() -> list[dict[str, str]]:
    """Return the queues of this person, each with the address of exactly its rows."""
    mine = [name for name, queue in _QUEUES.items() if current_actor().can(queue[0])]
    counts = count_queues(db.session(), mine)
    queues = []
    for name in mine:
        _permission, title, meaning, endpoint, filters = _QUEUES[name]
        more = counts[name] > COUNTED
        queues.append(
            {
                "title": title,
                "meaning": meaning,
                "count": f"{COUNTED:,}+" if more else f"{counts[name]:,}",
                "url": url_for(f"{endpoint}.index_view", **filters),
            }
        )
    return queues


def _revenue() -> Revenue:
    today = datetime.now(shop_zone()).date()
    return recent_revenue(db.session(), today, current_app.config["SHOP_CURRENCY"])


def _newest() -> list[Order]:
    shown = load_only(
        Order.number, Order.placed_at, Order.status, Order.total_amount, Order.currency
    )
    newest = (
        sa.select(Order)
        .options(shown, joinedload(Order.user).load_only(User.username))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(NEWEST)
    )
    return list(db.session.scalars(newest))
