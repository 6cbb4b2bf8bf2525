"""Changing the stock of one product: deliveries, write-offs and corrections."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.form import BaseForm
from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from backoffice.access import Permission
from backoffice.admin.forms import WholeNumberField, stripped
from backoffice.admin.guards import current_actor
from backoffice.errors import BackofficeError, PermissionDeniedError
from backoffice.services.order_steps import LONGEST_REASON
from backoffice.services.stock_keeping import adjust_stock, receive_stock, write_off

# {what: (who may, in words)}
KINDS: dict[str, tuple[Permission, str]] = {
    "receive": (Permission.STOCK_RECEIVE, "Delivery: add units"),
    "write_off": (Permission.STOCK_WRITE_OFF, "Write-off: take out what is broken or lost"),
    "adjust": (Permission.STOCK_ADJUST, "Correction: add units, or take out with a minus"),
}


class StockForm(BaseForm):
    """What happened to the stock."""

    kind = RadioField("What happened", validators=[InputRequired("Choose one.")])
    quantity = WholeNumberField("Units", validators=[InputRequired("Enter a number.")])
    reason = StringField(
        "Reason",
        filters=[stripped],
        validators=[Length(max=LONGEST_REASON)],
        description="Needed for write-offs and corrections; for a delivery, its note.",
    )
    token = HiddenField()


class StockChanging:
    """The part of the products' view that changes the stock."""

    stock_template: ClassVar[str] = "admin/products/stock.html"
    # Of the views that this is mixed into.
    get_one: Any
    get_url: Any
    render: Any

    @property
    def stock_choices(self) -> list[tuple[str, str]]:
        """What this person may do to the stock."""
        actor = current_actor()
        return [(kind, words) for kind, (may, words) in KINDS.items() if actor.can(may)]

    @property
    def may_count(self) -> bool:
        """Whether this person may set the stock to what was counted."""
        return current_actor().can(Permission.STOCK_ADJUST)

    @expose("/stock/", methods=("GET", "POST"))
    def stock_view(self) -> Any:
        """Show or take the form; what is refused is said beside its field."""
        if not self.stock_choices:
            raise PermissionDeniedError("You do not have the permission to do this.")
        product = self.get_one(request.args.get("id", ""))
        form = StockForm(request.form if request.method == "POST" else None)
        form.kind.choices = self.stock_choices
        if request.method == "POST":
            if form.validate() and (stock := _change(form, product.id)) is not None:
                flash(f"{stock} of {product} are for sale now.", "success")
                return redirect(self.get_url(".details_view", id=product.id), 303)
            product = self.get_one(product.id)
        else:
            form.kind.data = form.kind.choices[0][0]
            form.token.data = secrets.token_urlsafe(16)
        page = self.render(
            self.stock_template,
            form=form,
            model=product,
            return_url=self.get_url(".details_view", id=product.id),
        )
        return page, 422 if request.method == "POST" else 200


def _change(form: StockForm, product_id: int) -> int | None:
    """Do what the form says; return the stock, None when it was refused."""
    actor, units = current_actor(), form.quantity.data or 0
    reason, key = form.reason.data or "", form.token.data or None
    try:
        match form.kind.data:
            case "receive":
                return receive_stock(actor, product_id, quantity=units, reason=reason, key=key)
            case "write_off":
                return write_off(actor, product_id, quantity=units, reason=reason, key=key)
            case _:
                return adjust_stock(actor, product_id, delta=units, reason=reason, key=key)
    except BackofficeError as error:
        field = {"quantity": form.quantity, "reason": form.reason}.get(error.field or "", form.kind)
        field.errors = [*field.errors, str(error)]
        return None
