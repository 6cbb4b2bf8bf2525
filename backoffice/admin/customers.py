"""Who buys: a customer's account with all that belongs to it, and guests by their e-mail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import abort, redirect, request
from flask_admin import expose
from sqlalchemy.orm import joinedload

from backoffice.access import Permission, Role
from backoffice.admin.base import TableView
from backoffice.admin.listing.filters import RelationFilter
from backoffice.admin.masking import read
from backoffice.admin.record import Panel
from backoffice.db import db
from backoffice.models import Order, User
from backoffice.reports.customers import (
    figures_of,
    notes_of,
    orders_of_account,
    orders_of_guest,
)

GUEST_ORDERS = 50


class CustomerFilter(RelationFilter):
    """The orders of accounts, and those of guests with the same e-mail."""

    def holds(self, key: Any) -> Any:
        """Return the condition of the orders of one account."""
        return orders_of_account(key)


class CustomerView(TableView):
    """Accounts of customers; the person behind one is edited in their profile."""

    model_class = User
    read = Permission.CUSTOMER_READ

    column_list = ("username", "email", "profile", "is_active", "created_at")
    column_details_list = ("username", "email", "is_active", "last_login_at", "created_at")
    sortable = ("username", "email", "created_at")
    filters = ("is_active", "created_at")
    searchable = ("username", "email")
    column_labels = {"email": "E-mail", "username": "User name", "profile": "Name"}
    eager = (joinedload(User.profile),)
    details_template = "admin/customers/details.html"
    groups = {"Account": column_details_list}
    panels = (Panel("orders", "user"),)

    def scope(self) -> sa.Select[Any]:
        """Return the accounts of customers; staff have a list of their own."""
        return super().scope().where(User.role == Role.CUSTOMER)

    def facts_of(self, record: Any) -> dict[str, Any]:
        """Return the customer's figures and notes for those who may see orders."""
        if not self.may_see_orders:
            return {"figures": None, "notes": []}
        orders = orders_of_account(record.id)
        return {
            "figures": figures_of(db.session(), orders, user_id=record.id),
            "notes": notes_of(db.session(), orders),
        }

    @property
    def may_see_orders(self) -> bool:
        """Whether this person may know what was bought."""
        return bool(self.view_of("orders").is_accessible())

    def view_of(self, endpoint: str) -> Any:
        """Return another table's view."""
        return next(view for view in self.admin._views if view.endpoint == endpoint)  # noqa: SLF001

    @expose("/guest/")
    def guest(self) -> Any:
        """Show who placed an order without an account; one with an account has its own page.

        The address names the order and not the e-mail, which would be in every log on the way.
        """
        orders = self.view_of("orders")
        if not orders.is_accessible():
            abort(403)
        order: Order = orders.get_one(request.args.get("order", ""))
        account = order.user_id or self._account_of(order.email)
        if account is not None:
            return redirect(self.get_url(".details_view", id=account))
        if not order.email:
            abort(404)
        theirs = orders_of_guest(order.email)
        newest = orders.scope().where(theirs).order_by(Order.placed_at.desc(), Order.id.desc())
        return self.render(
            "admin/customers/guest.html",
            title=read(order, "email"),
            order=order,
            figures=figures_of(db.session(), theirs),
            notes=notes_of(db.session(), theirs),
            orders=orders,
            rows=list(db.session.scalars(newest.options(*orders.eager).limit(GUEST_ORDERS))),
        )

    def _account_of(self, email: str | None) -> int | None:
        found = self.scope().where(User.email == email).with_only_columns(User.id)
        return db.session.scalar(found) if email else None
