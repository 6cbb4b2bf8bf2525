"""Who may see who a customer is: asked here, for lists, records, pickers, files and the log."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Flask, g, has_request_context, request
from flask_admin import expose
from flask_login import current_user

from backoffice.access import Permission
from backoffice.admin.guards import current_actor
from backoffice.db import Base
from backoffice.errors import InputError
from backoffice.models import Change
from backoffice.models.personal import (
    PERSONAL,
    is_personal,
    masked_label,
    masked_sides,
    masked_value,
)
from backoffice.services.customers import reveal_customer


def is_masked() -> bool:
    """Whether customers have no names for this person."""
    return not (
        has_request_context()
        and current_user.is_authenticated
        and current_actor().can(Permission.CUSTOMER_CONTACT)
    )


def is_hidden(attribute: Any) -> bool:
    """Whether this person may not see a column; an expression over columns is none."""
    model = getattr(attribute, "class_", None)
    return model is not None and is_personal(model, attribute.key) and is_masked()


def read(record: Any, name: str) -> Any:
    """Return an attribute of a record as this person may see it."""
    if is_personal(type(record), name) and _is_covered(record):
        return masked_value(record, name)
    return getattr(record, name, None)


def label(record: Any) -> str:
    """Return what this person may call a record."""
    return masked_label(record) if _is_covered(record) else str(record)


def _is_covered(record: Any) -> bool:
    return is_masked() and record not in g.get("revealed", ())


def sides(change: Change) -> tuple[str | None, str | None]:
    """Return the values before and after a change as this person may see them."""
    return masked_sides(change) if is_masked() else (change.old_value, change.new_value)


class Revealing:
    """The part of a table's view that shows, once and with a reason, who a customer is."""

    model_class: ClassVar[type[Base]]
    form_columns: Any
    get_one: Any
    record_page: Any

    @property
    def hides_fields(self) -> bool:
        """Whether the form has fields that this person may not see, let alone change."""
        return is_masked() and any(is_personal(self.model_class, n) for n in self.form_columns)

    def may_reveal(self, record: Any) -> bool:
        """Whether something on the record is covered that this person may ask for."""
        has_names = self.model_class in PERSONAL and _is_covered(record)
        return has_names and current_actor().can(Permission.CUSTOMER_REVEAL)

    @expose("/reveal/", methods=("POST",))
    def reveal(self) -> Any:
        """Answer with the record uncovered; the next page has it covered again."""
        key = self.get_one(request.form.get("id", "")).id
        reason = request.form.get("reason", "")
        try:
            reveal_customer(current_actor(), self.model_class, key, reason=reason)
        except InputError as error:
            return self.record_page(self.get_one(key), reveal_error=str(error)), 422
        record = self.get_one(key)
        kin = (getattr(record, name, None) for name in ("user", "profile"))
        g.revealed = [record, *(one for one in kin if one is not None)]
        return self.record_page(record)


def init_app(app: Flask) -> None:
    """Offer the look of records and changes to templates."""
    app.jinja_env.globals["sides"] = sides
    app.jinja_env.globals["read"] = read
