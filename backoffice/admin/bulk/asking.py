"""What an action has to know before it can be planned, as a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_admin.form import BaseForm
from wtforms import BooleanField, SelectField
from wtforms.validators import InputRequired, StopValidation, ValidationError

from backoffice.admin.forms import AmountField
from backoffice.admin.picking.fields import PickerField
from backoffice.errors import InputError
from backoffice.services.bulk_actions import BulkAction, Options
from backoffice.services.bulk_relations import LinkRelated, SetRelated
from backoffice.services.prices import ChangePrice, Rule, read_rule


class OnePicker(PickerField):
    """One related record, also where the relation holds many."""

    creator = None

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        super().__init__(label, validators, **options)
        self.many = False


class PriceRuleForm(BaseForm):
    """How the new price comes from the old one."""

    rule = SelectField(
        "Rule",
        choices=[
            (Rule.PERCENT.value, "Change by per cent"),
            (Rule.AMOUNT.value, "Change by an amount"),
            (Rule.SET.value, "Set to"),
        ],
    )
    amount = AmountField(
        "Number",
        [InputRequired("Enter a number.")],
        description="-10 takes away, 10 adds. Halves of a cent are rounded up.",
    )
    ends_99 = BooleanField("Round to the nearest price ending in .99")

    def options(self) -> Options:
        """Return what was entered, as a plan keeps it."""
        return {
            "rule": self.rule.data,
            "amount": str(self.amount.data),
            "ends_99": self.ends_99.data,
        }

    def validate_amount(self, _field: Any) -> None:
        """Refuse a rule that makes no sense."""
        try:
            read_rule(self.options())
        except InputError as error:
            raise ValidationError(str(error)) from None


def _chosen(_form: Any, field: Any) -> None:
    if field.data is None:
        raise StopValidation("Choose one.")


def _one_of(view: Any, action: SetRelated | LinkRelated) -> Any:
    class Form(BaseForm):
        chosen = OnePicker(
            view.get_column_name(action.field),
            [_chosen],
            view=view,
            relation=action.field,
            allow_blank=False,
        )

        def options(self) -> Options:
            return {"key": self.chosen.data.id, "label": str(self.chosen.data)}

    return Form


# Each returns a class of forms with a method `options`.
FORMS: dict[type[BulkAction], Callable[[Any, Any], Any]] = {
    ChangePrice: lambda _view, _action: PriceRuleForm,
    LinkRelated: _one_of,
    SetRelated: _one_of,
}


def ask(view: Any, action: BulkAction) -> Any:
    """Return the form of an action, None for one that asks nothing."""
    build = FORMS.get(type(action))
    sent = request.form if "asked" in request.form else None
    return build(view, action)(sent) if build else None
