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
from wtforms.validators import DataRequired, InputRequired, StopValidation, ValidationError

from backoffice.admin.moments import AwareDateTimeField
from backoffice.admin.picking.fields import PickerField


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


class _NumberField:
    """A field that says one thing about text that is no number, not also that it is too small."""

    def pre_validate(self, _form: Any) -> None:
        """Stop at text that could not be read; that it is missing is for a validator to say."""
        field: Any = self
        if field.process_errors and field.raw_data[0].strip():
            raise StopValidation


class WholeNumberField(_NumberField, fields.IntegerField):
    """A whole number."""


class AmountField(_NumberField, fields.DecimalField):
    """A decimal number, shown with as many places as it needs, two at least."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number; NaN and infinity are none, and a signalling NaN breaks comparisons."""
        super().process_formdata(valuelist)
        if self.data is not None and not self.data.is_finite():
            self.data = None
            raise ValueError("Enter a number.")

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

    @converts("UtcDateTimeType")
    def convert_moment(self, column: Any, field_args: dict[str, Any], **_kwargs: Any) -> Any:
        """Return a field for a moment in the viewer's zone."""
        return AwareDateTimeField(**field_args)

    @converts("Date")
    def convert_date(self, field_args: dict[str, Any], **_kwargs: Any) -> Any:
        """Return a field for a day, with the browser's own calendar."""
        return fields.DateField(**field_args)

    @converts("JSON")
    def convert_JSON(self, field_args: dict[str, Any], **_kwargs: Any) -> None:  # noqa: N802
        """Return nothing, which stops the start: facts in JSON are shown and not edited."""

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: dict[str, Any], **_kwargs: Any) -> Any:
        """Return an integer field that fits the column."""
        bits = 63 if isinstance(column.type, sa.BigInteger) else 31
        field_args["validators"].append(validators.NumberRange(-(2**bits), 2**bits - 1))
        return WholeNumberField(**field_args)

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
        if isinstance(field, UnboundField):
            _mend(field.kwargs, prop)
        return field

    def _model_select_field(
        self, prop: Any, multiple: Any, remote_model: Any, **options: Any
    ) -> Any:
        """Return a picker; Flask-Admin's own select would load the whole table."""
        if prop.key not in self.view.pickers:
            raise TypeError(f"{type(self.view).__name__}.{prop.key}: declare its picker.")
        return PickerField(view=self.view, relation=prop.key, **options)

    def _get_label(self, name: str, field_args: dict[str, Any]) -> str:
        """Return the label that the column has in the list."""
        return str(field_args.get("label") or self.view.get_column_name(name))


def _mend(options: dict[str, Any], prop: Any) -> None:
    """Change what Flask-Admin gives every field where it would let through what cannot be saved."""
    # Its query proves nothing a moment later; the constraint does, and says so as well.
    checks = [c for c in options.get("validators", ()) if not isinstance(c, Unique)]
    column = getattr(prop, "columns", [None])[0]
    if column is not None and isinstance(column.type, sa.String) and not column.nullable:
        # Blanks are input, but nothing is left of them once they are stripped.
        checks = [DataRequired() if type(c) is InputRequired else c for c in checks]
        if column.default is not None:
            options["filters"] = [*options.get("filters", ()), _never_none]
    options["validators"] = checks


def _never_none(value: Any) -> Any:
    return "" if value is None else value


def stripped(value: Any) -> Any:
    """Return text without outer blanks; nothing at all for text that was only blanks."""
    return (value.strip() or None) if isinstance(value, str) else value


def lowered(value: Any) -> Any:
    """Return text in lower case."""
    return value.lower() if isinstance(value, str) else value


def raised(value: Any) -> Any:
    """Return text in upper case."""
    return value.upper() if isinstance(value, str) else value
