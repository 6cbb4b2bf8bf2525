"""Form fields that refuse what the column cannot hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.contrib.sqla.validators import Unique
from flask_admin.model.form import converts
from wtforms import fields, validators
from wtforms.fields.core import UnboundField
from wtforms.validators import ValidationError


class Finite:
    """Refuse NaN, infinity and numbers that do not fit NUMERIC(precision, scale)."""

    def __init__(self, precision: int, scale: int) -> None:
        self.precision = precision
        self.scale = scale

    def __call__(self, _form: Any, field: Any) -> None:
        """Raise ValidationError for a value that must not reach the database."""
        value: Decimal | None = field.data
        if value is None:
            return
        if not value.is_finite():
            raise ValidationError("Enter a number.")
        if -int(value.as_tuple().exponent) > self.scale:
            raise ValidationError(f"At most {self.scale} decimal places.")
        if abs(value) >= Decimal(10) ** (self.precision - self.scale):
            raise ValidationError("This number is too large.")


class AmountField(fields.DecimalField):
    """A decimal number, shown with as many places as it needs, two at least."""

    def _value(self) -> str:
        if self.raw_data or self.data is None:
            return str(self.raw_data[0]) if self.raw_data else ""
        places = max(2, -int(self.data.normalize().as_tuple().exponent))
        return f"{self.data:.{places}f}"


class Converter(AdminModelConverter):
    """Flask-Admin's converter, with bounds on numbers and no column dropped in silence."""

    @converts("ExactNumeric")
    def convert_exact_numeric(self, column: Any, field_args: dict[str, Any], **_kwargs: Any) -> Any:
        """Return a decimal field that fits the column."""
        field_args["validators"].append(Finite(column.type.precision, column.type.scale))
        return AmountField(**field_args)

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: dict[str, Any], **_kwargs: Any) -> Any:
        """Return an integer field that fits the column."""
        bits = 63 if isinstance(column.type, sa.BigInteger) else 31
        field_args["validators"].append(validators.NumberRange(-(2**bits), 2**bits - 1))
        return fields.IntegerField(**field_args)

    def convert(
        self,
        model: Any,
        mapper: Any,
        name: str,
        prop: Any,
        field_args: dict[str, Any],
        hidden_pk: bool,
    ) -> Any:
        """Return the field; raise TypeError at start-up for a column that no converter knows."""
        field = super().convert(model, mapper, name, prop, field_args, hidden_pk)
        if field is None and name in (self.view.form_columns or ()):
            raise TypeError(f"{model.__name__}.{name}: no form field for this type. Add one.")
        if isinstance(field, UnboundField) and "validators" in field.kwargs:
            # Its query proves nothing a moment later; the constraint does, and says so as well.
            kept = [check for check in field.kwargs["validators"] if not isinstance(check, Unique)]
            field.kwargs["validators"] = kept
        return field

    def _get_label(self, name: str, field_args: dict[str, Any]) -> str:
        """Return the label that the column has in the list."""
        return str(field_args.get("label") or self.view.get_column_name(name))


def stripped(value: Any) -> Any:
    """Return text without outer blanks; nothing at all for text that was only blanks."""
    return (value.strip() or None) if isinstance(value, str) else value


def lowered(value: Any) -> Any:
    """Return text in lower case."""
    return value.lower() if isinstance(value, str) else value


def raised(value: Any) -> Any:
    """Return text in upper case."""
    return value.upper() if isinstance(value, str) else value
