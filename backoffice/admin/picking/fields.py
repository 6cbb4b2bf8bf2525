"""The form field of a relation: renders a few rows, takes keys, gives records."""

from __future__ import annotations

from typing import Any

from flask import current_app, request
from markupsafe import Markup
from wtforms import Field
from wtforms.validators import StopValidation

from backoffice.admin.picking.picker import WHOLE, Choice, is_key

MOST_CHOSEN = 200


class PickerField(Field):
    """One related record or several; an unknown key is a mistake and never nothing.

    A table of at most `WHOLE` rows is a plain select. Of a larger one only what is chosen is
    shown, with a search: by script as one types, without one by a button that sends the form and
    gets it back with what was found.
    """

    def __init__(
        self, label: Any = None, validators: Any = None, *, view: Any, relation: str,
        allow_blank: bool = True, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(label, validators, **options)
        self.form: Any = options["_form"]
        self.view = view
        self.relation = relation
        self.many: bool = view.pickers[relation].many
        self.allow_blank = allow_blank
        self.sent: list[str] | None = None
        self.offer: Any = None

    def process_data(self, value: Any) -> None:
        """Take the record, or the records, that the relation leads to."""
        self.sent = None
        self.data = list(value or ()) if self.many else value

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep the keys; what they stand for is looked up when the form is validated."""
        self.sent = list(dict.fromkeys(value for value in valuelist if value != ""))
        self.data = [] if self.many else None

    def pre_validate(self, _form: Any) -> None:
        """Look the keys up; stop at one that nobody could have chosen."""
        if self.sent is None or not self.may_pick:
            return
        most = MOST_CHOSEN if self.many else 1
        if len(self.sent) > most or not all(map(is_key, self.sent)):
            self._refuse()
        keys = [int(value) for value in self.sent]
        # What was chosen before may stay, also when this person could not choose it now.
        known = {record.id: record for record in self._before}
        if missing := [key for key in keys if key not in known]:
            known |= {record.id: record for record in self.view.picked(self.relation, missing)}
        if not all(key in known for key in keys):
            self._refuse()
        records = [known[key] for key in keys]
        self.data = records if self.many else next(iter(records), None)

    def _refuse(self) -> None:
        raise StopValidation(
            "Choose those that are there." if self.many else "Choose one that is there."
        )

    def populate_obj(self, obj: Any, name: str) -> None:
        """Set the relation; whoever may not see what it leads to, does not change it."""
        if self.may_pick:
            super().populate_obj(obj, name)

    @property
    def _before(self) -> list[Any]:
        if self.object_data is None:
            return []
        return list(self.object_data) if self.many else [self.object_data]

    @property
    def may_pick(self) -> bool:
        """Whether this person may see the rows to choose from."""
        return bool(self.view.may_pick(self.relation))

    @property
    def keys(self) -> list[int]:
        """The keys that are chosen."""
        if self.sent is None:
            return [record.id for record in self._before]
        return [int(value) for value in self.sent if is_key(value)][:MOST_CHOSEN]

    # Looking up without a script

    @property
    def typed(self) -> str:
        """What was typed to search for."""
        return str(request.form.get(f"_find_{self.name}", ""))

    @property
    def is_asked(self) -> bool:
        """Whether the form was sent only to search."""
        return f"_pick_{self.name}" in request.form

    # For the template

    @property
    def url(self) -> str:
        """Where a script asks."""
        return str(self.view.get_url(f"{self.view.endpoint}.pick", relation=self.relation))

    @property
    def creator(self) -> Any:
        """The view in which a row that is missing can be made; a side panel opens no other."""
        return None if "panel" in request.args else self.view.creator_of(self.relation)

    def _offered(self) -> Any:
        """Return what there is to choose from; the first field to ask does so for all."""
        if self.offer is None:
            fields = [f for f in self.form if isinstance(f, PickerField) and f.may_pick]
            offers = self.view.offers({field.relation: field.keys for field in fields})
            for field in fields:
                field.offer = offers[field.relation]
        return self.offer

    @property
    def chosen(self) -> list[Choice]:
        """The chosen rows; one that this person may not see stays, as its number."""
        known: list[Choice] = self._offered().chosen
        seen, before = {c.id for c in known}, {record.id for record in self._before}
        return known + [Choice(k, f"#{k}") for k in self.keys if k in before and k not in seen]

    @property
    def whole(self) -> list[Choice] | None:
        """All rows, when they are few."""
        first: list[Choice] = self._offered().first
        if len(first) > WHOLE:
            return None
        there = {choice.id for choice in first}
        return first + [choice for choice in self.chosen if choice.id not in there]

    @property
    def found(self) -> list[Choice]:
        """What was looked up, without what is chosen already."""
        if not (self.is_asked or self.typed):
            return []
        return [c for c in self.view.matches(self.relation, self.typed) if c.id not in self.keys]

    def widget(self, field: Field, **attributes: Any) -> Markup:  # type: ignore[override]
        """Render the field."""
        is_invalid = "is-invalid" in attributes.pop("class", "")
        given = {name.replace("_", "-"): value for name, value in attributes.items() if value}
        template = current_app.jinja_env.get_template("admin/table/picker.html")
        return Markup(template.render(field=field, is_invalid=is_invalid, given=given))  # noqa: S704
