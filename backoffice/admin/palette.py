"""Where to go: pages from memory, and records whose number, e-mail, name or SKU was typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from flask import Response, jsonify, request, url_for
from flask_admin import Admin, expose
from flask_login import current_user
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from backoffice.access import Role
from backoffice.admin.base import TableView
from backoffice.admin.formatters import amount
from backoffice.admin.guards import Page, current_actor
from backoffice.admin.masking import is_masked
from backoffice.db import db
from backoffice.models import Order, Product, User
from backoffice.reports.catalog import catalog

MOST_HITS = 8
SHORTEST = 2
LONGEST = 254
_PLACES = ("orders", "users", "customers", "products")


@dataclass(frozen=True)
class Hit:
    """Somewhere to go."""

    kind: str
    label: str
    note: str
    url: str


class PalettePage(Page):
    """The search of the top bar; without JavaScript it is a page of its own."""

    def is_accessible(self) -> bool:
        """Whether this person has signed in; what is found is what they may see."""
        return bool(current_user.is_authenticated)

    def is_visible(self) -> bool:
        """Not in the menu: the top bar leads here."""
        return False

    @expose("/")
    def index(self) -> Any:
        """Show the pages and records that match."""
        typed = _typed()
        words = typed.lower().split()
        pages = [page for page in pages_of(self.admin) if all(w in _text(page) for w in words)]
        return self.render(
            "admin/palette/index.html",
            typed=typed,
            pages=pages,
            records=_records(self.admin, typed),
        )

    @expose("/records.json")
    def records(self) -> Response:
        """Send the records that match."""
        return jsonify(hits=[asdict(hit) for hit in _records(self.admin, _typed())])


def pages_of(admin: Admin) -> list[Hit]:
    """Return the pages that this person may open; asks nothing of the database."""
    return [*_menu(admin), *_reports(), Hit("You", "Your profile", "", url_for("profile.index"))]


def _menu(admin: Admin) -> Iterator[Hit]:
    for item in admin.menu():
        children = item.get_children() if item.is_category() else [item]
        area = item.name if item.is_category() else ""
        for child in children:
            if child.is_accessible() and child.is_visible():
                yield Hit("Page", child.name, area, child.get_url())
    for view in admin._views:  # noqa: SLF001
        if isinstance(view, TableView) and view.is_accessible() and view.can_create:
            yield Hit(
                "New",
                f"New {view.singular}",
                view.category,
                url_for(f"{view.endpoint}.create_view"),
            )


def _reports() -> Iterator[Hit]:
    for report in catalog().values():
        if report.is_for(current_actor()):
            yield Hit("Report", report.title, "", url_for("reports.report", slug=report.slug))


def _text(page: Hit) -> str:
    return f"{page.label} {page.note} {page.kind}".lower()


def _typed() -> str:
    return " ".join(request.args.get("q", "").replace("\0", "").split())[:LONGEST]


def _records(admin: Admin, typed: str) -> list[Hit]:
    """Return what was typed exactly or begins so: at most one indexed statement per table."""
    if not SHORTEST <= len(typed) <= LONGEST:
        return []
    views = {view.endpoint: view for view in admin._views if view.is_accessible()}  # noqa: SLF001
    hits: list[Hit] = []
    for endpoint in _PLACES:
        # Whoever may see all accounts finds customers among them.
        if endpoint in views and not (endpoint == "customers" and "users" in views):
            hits += _FINDERS[endpoint](views[endpoint], typed)
    return hits


def _orders(view: Any, typed: str) -> Iterator[Hit]:
    number = typed.removeprefix("#")
    same: sa.ColumnElement[bool] = Order.number.in_({number, number.upper()})
    if "@" in typed and not is_masked():
        same = Order.email == typed.lower()
    found = view.scope().where(same).order_by(Order.placed_at.desc(), Order.id.desc())
    for order in db.session.scalars(found.limit(MOST_HITS)):
        note = f"{order.status}, {amount(order.total_amount)} {order.currency}, {order.placed_on}"
        yield _hit(view, "Order", order.id, order.number, note)


def _users(view: Any, typed: str) -> Iterator[Hit]:
    if is_masked():
        return
    found = view.scope().where(User.id.in_(_people(typed))).options(joinedload(User.profile))
    for user in db.session.scalars(found.order_by(User.username).limit(MOST_HITS)):
        if not _begins(typed, user):
            continue
        note = user.email or ""
        if user.role is Role.CUSTOMER:
            name = (user.profile and user.profile.full_name) or user.username
            url = url_for("customers.details_view", id=user.id)
            yield Hit("Customer", name, note, url)
        else:
            yield _hit(view, "User", user.id, user.username, note)


def _products(view: Any, typed: str) -> Iterator[Hit]:
    if "@" in typed:
        return
    sku = typed.upper()
    found = view.scope().where(Product.sku >= sku).order_by(Product.sku).limit(MOST_HITS)
    for product in db.session.scalars(found):
        if product.sku.startswith(sku):
            note = f"{product.name}, {product.stock} in stock"
            yield _hit(view, "Product", product.id, product.sku, note)


_FINDERS: dict[str, Callable[[Any, str], Iterator[Hit]]] = {
    "orders": _orders,
    "users": _users,
    "customers": _users,
    "products": _products,
}


def _people(typed: str) -> Any:
    """Return the ids of accounts whose name or e-mail comes next to what was typed, in index order.

    No LIKE: on PostgreSQL a plain index serves it only under the "C" collation. Walking the index
    from the text on gives the same rows first, and the caller drops those that begin differently.
    """
    text = typed.lower()

    def arm(column: InstrumentedAttribute[Any]) -> Any:
        nearest = sa.select(User.id).where(column >= text).order_by(column).limit(MOST_HITS)
        return sa.select(nearest.subquery().c.id)

    return sa.union(arm(User.username), arm(User.email))


def _begins(typed: str, user: User) -> bool:
    text = typed.lower()
    return user.username.startswith(text) or (user.email or "").startswith(text)


def _hit(view: Any, kind: str, row_id: int, label: str, note: str) -> Hit:
    return Hit(kind, label, note, url_for(f"{view.endpoint}.details_view", id=row_id))
