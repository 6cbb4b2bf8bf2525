"""Fields of a form that matter only while another field has a certain value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_admin.form import BaseForm
from wtforms.validators import StopValidation

from backoffice.admin.listing.columns import attribute_of
from backoffice.db import Base
from backoffice.services.history import is_same


@dataclass(frozen=True, slots=True)
class When:
    """Shown while `field` of the same form has one of `values`; `hint` says so in a sentence.

    Without a script the field is always there, with the hint.
    """

    field: str
    values: tuple[Any, ...]
    hint: str

    @property
    def told(self) -> list[str]:
        """The values as a script reads them off the page."""
        return [_told(value) for value in self.values]


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value if isinstance(value, Enum) else value)


class RecordForm(BaseForm):
    """A record's form; a field whose condition is not met keeps what it had."""

    conditions: ClassVar[dict[str, When]] = {}

    def is_met(self, name: str) -> bool:
        """Whether the field matters now."""
        when = self.conditions.get(name)
        return when is None or self[when.field].data in when.values

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether all that matters is right, and nothing was changed that does not."""
        for name, when in self.conditions.items():
            if name in self and not self.is_met(name):
                _set_aside(self[name], when)
        is_valid: bool = super().validate(extra_validators)
        return is_valid


def _set_aside(field: Any, when: When) -> None:
    """Let a field keep what it had; one that was changed nevertheless is refused.

    A script does not send it. Without one it is sent as it was, and whoever changed it is told
    that it would not have been used.
    """
    is_sent = bool(field.raw_data)
    if is_sent and (field.process_errors or not is_same(field.data, field.object_data)):
        field.validators = [_Refuse(f"{when.hint} Leave it as it was.")]
        return
    field.raw_data = None
    field.validators = []
    field.process(None, data=field.object_data)


class _Refuse:
    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Any, _field: Any) -> None:
        raise StopValidation(self.sentence)


def require_conditions(
    model: type[Base], conditions: dict[str, When], names: Iterable[str], view: str
) -> None:
    """Raise TypeError for a condition that cannot work.

    A field that is set aside needs something to have: a default, or nothing at all.
    """
    for name, when in conditions.items():
        if not {name, when.field} <= set(names) or when.field in conditions:
            raise TypeError(f"{view}.{name} cannot depend on {when.field}.")
        for one in (name, when.field):
            if not isinstance(attribute_of(model, one).property, sa.orm.ColumnProperty):
                raise TypeError(f"{view}.{name}: a condition is about columns, not {one}.")
        column = attribute_of(model, name).property.columns[0]
        if not column.nullable and column.default is None:
            raise TypeError(f"{view}.{name} may be left out, so it needs a default.")
