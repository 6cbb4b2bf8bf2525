"""The steps of an order, by buttons and forms: what services refuse is said at its field."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose

from backoffice.access import Permission
from backoffice.admin.guards import current_actor
from backoffice.admin.order_acts import ACTS, Act
from backoffice.admin.order_input import Typed
from backoffice.admin.order_steps import FACTS, STEPS, planned, shop
from backoffice.db import db
from backoffice.errors import BackofficeError, InputError, NotFoundError, PermissionDeniedError
from backoffice.models import Order, Refund
from backoffice.services.orders import (
    add_note,
)
from backoffice.services.refunds import fail_refund, settle_refund


class OrderActing:
    """The part of the orders' view that moves orders on."""

    # Of the view that this is mixed into.
    get_one: Any
    get_url: Any
    record_page: Any
    render: Any

    @expose("/act/<step>/", methods=("GET", "POST"))
    def act(self, step: str) -> Any:
        """Show the form of a step, or take it."""
        act = ACTS.get(step) or abort(404)
        current_actor().require(act.permission)
        order = self.get_one(request.values.get("id", ""))
        if request.method == "POST":
            return self._take(act, order.id)
        if not act.asks:
            abort(405)
        return self._ask(act, order, Typed())

    def _take(self, act: Act, order_id: int) -> Any:
        typed = Typed(request.form)
        if "look" in request.form:
            return self._look(act, self.get_one(order_id), typed)
        try:
            said = STEPS[act.name](current_actor(), order_id, typed)
        except BackofficeError as error:
            _raise_what_no_field_can_say(error)
            typed.blame(error)
            return self._refused(act, order_id, typed), _status(error)
        flash(said, "success")
        return redirect(self.get_url(".details_view", id=order_id))

    def _refused(self, act: Act, order_id: int, typed: Typed) -> Any:
        order = self.get_one(order_id)
        if act.asks:
            return self._ask(act, order, typed)
        flash(next(iter(typed.errors.values())), "danger")
        return self.record_page(order)

    def _look(self, act: Act, order: Order, typed: Typed) -> Any:
        """Fill in what the chosen units are worth; nothing is written."""
        if act.name != "refund":
            abort(404)
        try:
            parts = planned(order, typed)
        except BackofficeError as error:
            typed.blame(error)
            return self._ask(act, order, typed), _status(error)
        for part in parts.lines:
            if part.item is not None:
                typed.fill(f"lines.{part.item.id}.amount", part.amount)
        return self._ask(act, order, typed, parts=parts)

    def _ask(self, act: Act, order: Order, typed: Typed, **more: Any) -> Any:
        """Return the form of a step, with what it would do."""
        page = f"admin/orders/{act.name}.html"
        facts = FACTS[act.name](current_actor(), order, typed)
        return self.render(page, model=order, act=act, typed=typed, **(facts | more))

    @expose("/note/", methods=("POST",))
    def note(self) -> Any:
        """Add a note to the order's timeline."""
        current_actor().require(Permission.ORDER_WRITE)
        key = self.get_one(request.form.get("id", "")).id
        try:
            add_note(current_actor(), key, body=request.form.get("body", ""))
        except InputError as error:
            return self.record_page(self.get_one(key), note_error=str(error)), 422
        return redirect(f"{self.get_url('.details_view', id=key)}#timeline")

    @expose("/settle-refund/", methods=("POST",))
    def settle(self) -> Any:
        """Book that the money of a refund has gone."""
        return self._settle(settle_refund, "The refund is done.")

    @expose("/fail-refund/", methods=("POST",))
    def fail(self) -> Any:
        """Book that the money of a refund did not go."""
        reason = request.form.get("reason", "")
        return self._settle(fail_refund, "The money can be refunded again.", reason=reason)

    def _settle(self, step: Any, said: str, **values: Any) -> Any:
        current_actor().require(Permission.ORDER_REFUND)
        typed = Typed(request.form)
        order = self.get_one(request.form.get("id", ""))
        refund = db.session.get(Refund, typed.key("refund"))
        if refund is None or refund.order_id != order.id:
            abort(404)
        key, version = order.id, typed.key("version")
        try:
            step(current_actor(), refund.id, shop=shop(), expected_version=version, **values)
        except BackofficeError as error:
            _raise_what_no_field_can_say(error)
            flash(str(error), "danger")
            return self.record_page(self.get_one(key)), _status(error)
        flash(said, "success")
        return redirect(self.get_url(".details_view", id=key))


def _status(error: BackofficeError) -> int:
    return 422 if isinstance(error, InputError) else error.status_code


def _raise_what_no_field_can_say(error: BackofficeError) -> None:
    if isinstance(error, NotFoundError | PermissionDeniedError) and error.field is None:
        raise error
