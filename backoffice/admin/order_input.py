"""What was typed into the form of an order's step, read field by field."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from backoffice.errors import BackofficeError, InputError
from backoffice.services.refund_requests import RefundLine

MOST_UNITS = 10**9


class Typed:
    """The fields of a form as they were typed, and what is wrong with which.

    Fields are called as the services call what they blame: `lines.12.quantity`.
    """

    def __init__(self, form: MultiDict[str, str] | None = None) -> None:
        self._form = form if form is not None else MultiDict()
        self._filled: dict[str, str] = {}
        self.errors: dict[str, str] = {}

    def value(self, name: str, default: Any = "") -> str:
        """Return what stands in a field: what was typed, before what is offered."""
        return self._filled.get(name, self._form.get(name, str(default)))

    def fill(self, name: str, value: Any) -> None:
        """Put a value into a field, over what was typed."""
        self._filled[name] = str(value)

    def text(self, name: str) -> str:
        """Return a text without blanks around it."""
        return self._form.get(name, "").strip()

    def units(self, name: str) -> int:
        """Return a number of units; nothing is none."""
        text = self.text(name) or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < MOST_UNITS):
            self.errors[name] = "Write a whole number."
            return 0
        return int(text)

    def amount(self, name: str) -> Decimal | None:
        """Return an amount of money, None for an empty field."""
        text = self.text(name)
        try:
            found = Decimal(text) if text else None
        except InvalidOperation:
            found = Decimal("NaN")
        if found is not None and not found.is_finite():
            self.errors[name] = "Write an amount such as 12.50."
            return None
        return found

    def key(self, name: str) -> int:
        """Return a key or a version; raises InputError for what no form of ours has sent."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise InputError("This form is not complete. Open it again.")
        return int(text)

    def refund_lines(self, keys: list[int]) -> list[RefundLine]:
        """Return the lines of a refund about which anything was typed."""
        lines = []
        for key in keys:
            prefix = f"lines.{key}"
            units = self.units(f"{prefix}.quantity")
            back = self.units(f"{prefix}.restock_quantity")
            amount = self.amount(f"{prefix}.amount")
            if units or back or amount:
                lines.append(RefundLine(key, units, back, amount))
        return lines

    def require_readable(self) -> None:
        """Raise InputError when something cannot be read."""
        if self.errors:
            field, sentence = next(iter(self.errors.items()))
            raise InputError(sentence, field=field)

    def blame(self, error: BackofficeError) -> None:
        """Keep what a service has refused, at the field that it names."""
        self.errors.setdefault(error.field or "", str(error))
