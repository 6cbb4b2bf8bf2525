"""Going to a value in the order of a list, instead of to a page number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, request
from flask_admin import expose
from werkzeug.datastructures import MultiDict

from backoffice.admin.formatters import viewer_zone
from backoffice.admin.listing.columns import largest_int, python_type
from backoffice.admin.listing.keyset import Cursors, Order, Position
from backoffice.admin.listing.state import ListState
from backoffice.db import db

TO = "to"
_LAST_KEY = 2**63 - 1
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Jump:
    """What is asked for: the kind of field, and what it is called in a sentence."""

    input_type: str
    input_mode: str
    words: str


_BY_TYPE: dict[type[Any], Jump] = {
    datetime: Jump("date", "", "a day"),
    date: Jump("date", "", "a day"),
    Decimal: Jump("text", "decimal", "a number"),
    int: Jump("text", "numeric", "a whole number"),
    str: Jump("text", "", "a text"),
}


class Jumping:
    """The part of a table's list that goes to a value in its order."""

    # Of the views that this is mixed into.
    endpoint: str
    get_url: Any
    list_state: Callable[..., ListState]
    narrowed: Callable[[ListState], sa.Select[Any]]

    @staticmethod
    def jump_of(order: Order) -> Jump | None:
        """Return how a value of the order's column is asked for; None where it makes no sense."""
        if getattr(order.column.attribute.type, "enum_class", None):
            return None
        return _BY_TYPE.get(python_type(order.column.attribute))

    @expose("/jump")
    def jump_view(self) -> Any:
        """Lead to the page that begins with a value, or with what comes next to it."""
        kept = [pair for pair in request.args.items(multi=True) if pair[0] != TO]
        state = self.list_state(MultiDict(kept))
        jump, text = self.jump_of(state.order), request.args.get(TO, "").strip()[:_LONGEST]
        here = self.get_url(".index_view")
        if not text or jump is None:
            return redirect(f"{here}?{state.query()}")
        try:
            position = before(state.order, text.replace("\0", ""))
        except (ValueError, ArithmeticError):
            flash(f"“{text}” is not {jump.words}. This is the beginning of the list.", "warning")
            return redirect(f"{here}?{state.query()}")
        rows = state.order.page(self.narrowed(state), position, 1, has_empty=state.has_empty)
        if db.session.execute(rows).first() is None:
            return redirect(f"{here}?{state.query(('at', 'end'))}")
        cursors = Cursors(str(current_app.secret_key), self.endpoint)
        return redirect(f"{here}?{state.query(('after', cursors.write(state.order, position)))}")


def before(order: Order, text: str) -> Position:
    """Return the position right before all rows with a value, in the direction of the order.

    Days are those of the viewer's zone. Raises ValueError or ArithmeticError for what is no value.
    """
    attribute, down = order.column.attribute, order.is_descending
    value: Any = _value(attribute, text, down=down)
    if attribute is order.key:
        return value, value + 1 if down else value - 1
    is_past = down and not isinstance(value, datetime)
    return value, _LAST_KEY if is_past else 0


def _value(attribute: Any, text: str, *, down: bool) -> Any:
    kind = python_type(attribute)
    if kind is datetime:
        day = date.fromisoformat(text) + timedelta(days=1 if down else 0)
        return datetime.combine(day, time(), viewer_zone()).astimezone(UTC)
    if kind is date:
        return date.fromisoformat(text)
    if kind is str:
        return text
    number = kind(text.replace(",", ""))
    if not -_LAST_KEY < number < _LAST_KEY:
        raise ValueError(text)
    if kind is int:
        # Beyond all that the column can hold there is no row either.
        number = max(-largest_int(attribute), min(number, largest_int(attribute)))
    return number
