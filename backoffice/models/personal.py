"""What tells who a customer is, and what those see instead who need not know it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backoffice.db import Base
from backoffice.models.audit import Change, ChangeSet
from backoffice.models.order_events import OrderEvent
from backoffice.models.orders import Order
from backoffice.models.profiles import Profile
from backoffice.models.refunds import Refund
from backoffice.models.users import User

MASK = "•••"
# Free text that staff wrote about a customer is among it: it names people.
PERSONAL: dict[type[Base], frozenset[str]] = {
    User: frozenset({"username", "email"}),
    Profile: frozenset({"full_name", "phone_number", "bio", "avatar_url"}),
    Order: frozenset({"email", "customer_name", "address"}),
    OrderEvent: frozenset({"body", "data"}),
    Refund: frozenset({"note"}),
    ChangeSet: frozenset({"record_label", "details"}),
}
_FIELDS = frozenset({"user", "profile"}).union(*PERSONAL.values())
# Whose records are called by a person's name; all others keep their label in the change log.
_PEOPLE = (User.__tablename__, Profile.__tablename__)


def is_personal(model: type[Any], name: str) -> bool:
    """Whether a column tells who a customer is."""
    return name in PERSONAL.get(model, ())


def masked_value(record: Any, name: str) -> Any:
    """Return an attribute with what is personal covered; what is empty stays so."""
    value = getattr(record, name, None)
    if not is_personal(type(record), name) or not value:
        return value
    if name == "record_label" and record.table_name not in _PEOPLE:
        return value
    return MASK


def masked_column(attribute: Any) -> sa.ColumnElement[Any]:
    """Return the expression that a statement selects instead of a personal column."""
    covers = [(attribute.is_not(None), sa.literal(MASK))]
    if attribute.key == "record_label":
        covers = [(attribute.class_.table_name.in_(_PEOPLE), sa.literal(MASK))]
        return sa.case(*covers, else_=attribute)
    return sa.case(*covers, else_=sa.null())


def masked_label(record: Any) -> str:
    """Return what a record is called without naming anybody; accounts by their number."""
    match record:
        case User():
            return f"Account {record.id}"
        case Profile():
            return f"Account {record.user_id}"
        case ChangeSet():
            return record.action
        case _:
            return str(record)


def masked_name(user: Any) -> sa.ColumnElement[str]:
    """Return the expression that gives `masked_label` of accounts."""
    return sa.literal("Account ") + sa.cast(user.id, sa.String)


def masked_sides(change: Change) -> tuple[str | None, str | None]:
    """Return a change's values before and after, covered where they tell who a customer is."""
    sides = change.old_value, change.new_value
    if change.field.rpartition(".")[2] not in _FIELDS:
        return sides
    old, new = (MASK if side else side for side in sides)
    return old, new
