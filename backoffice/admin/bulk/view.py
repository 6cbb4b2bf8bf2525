"""The part of a table's view that changes many rows: from ticked rows, or a query, to a plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import sqlalchemy as sa
from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.datastructures import MultiDict

from backoffice.admin.bulk.asking import ask
from backoffice.admin.guards import current_actor
from backoffice.admin.listing.state import ListState
from backoffice.admin.picking.picker import is_key
from backoffice.db import Base
from backoffice.errors import InputError, RuleViolationError
from backoffice.services.bulk_actions import BulkAction, Options
from backoffice.services.bulk_plans import Selection, seal_plan

_MOST_TICKED = 500


class Acting:
    """The part of a table's view that acts upon many rows at once, by actions it declares."""

    model_class: ClassVar[type[Base]]
    bulk_actions: ClassVar[tuple[BulkAction, ...]] = ()
    # The columns by which a plan calls a row.
    bulk_label: ClassVar[tuple[str, ...]] = ()
    # Of the views that this is mixed into.
    get_url: Any
    list_state: Callable[..., ListState]
    narrowed: Callable[[ListState], sa.Select[Any]]
    render: Any
    scope: Callable[[], sa.Select[Any]]
    validate_form: Callable[[Any], bool]

    def prepare_bulk(self) -> None:
        """Raise TypeError for actions that cannot work."""
        view, names = type(self).__name__, [action.name for action in self.bulk_actions]
        if names and not self.bulk_label:
            raise TypeError(f"{view} must declare bulk_label.")
        if len(set(names)) < len(names):
            raise TypeError(f"{view}.bulk_actions: two have one name.")
        for action in self.bulk_actions:
            if action.model is not self.model_class:
                raise TypeError(f"{view}.bulk_actions: {action.name} is for another table.")

    @property
    def allowed_actions(self) -> list[BulkAction]:
        """The actions that this person may take."""
        actor = current_actor()
        return [action for action in self.bulk_actions if actor.can(action.permission)]

    @expose("/bulk/", methods=("POST",))
    def bulk_view(self) -> Any:
        """Seal a plan for the chosen rows; ask first for what the action needs to know."""
        name = request.form.get("action", "")
        action = next((one for one in self.bulk_actions if one.name == name), None) or abort(404)
        actor = current_actor()
        actor.require(action.permission)
        try:
            chosen = self._chosen_rows()
            form = ask(self, action)
            if form is not None and not ("asked" in request.form and self.validate_form(form)):
                return self._asking(action, form)
            options: Options = {} if form is None else form.options()
            plan_id = seal_plan(actor, action, chosen, options)
        except (InputError, RuleViolationError) as error:
            flash(str(error), "danger")
            return redirect(request.form.get("url") or self.get_url(".index_view"))
        return redirect(self.get_url("bulk_plans.details_view", id=plan_id), 303)

    def _asking(self, action: BulkAction, form: Any) -> Any:
        return self.render(
            "admin/bulk/ask.html",
            action=action,
            form=form,
            sent=[
                (name, value)
                for name in ("action", "query", "url", "all", "rowid")
                for value in request.form.getlist(name)
            ],
            return_url=request.form.get("url") or self.get_url(".index_view"),
        )

    def _chosen_rows(self) -> Selection:
        """Return all that match what the list was asked for, or the rows that are ticked."""
        model: Any = self.model_class
        label = reduce(
            lambda one, other: one + " " + other, (getattr(model, name) for name in self.bulk_label)
        )
        if "all" in request.form:
            question = parse_qsl(request.form.get("query", ""))
            state = self.list_state(MultiDict(question))
            if state.notices:
                raise InputError(f"Nothing was planned. {state.notices[0]}")
            return Selection(self.narrowed(state), label, state.query())
        keys = [key for key in request.form.getlist("rowid") if is_key(key)]
        if len(keys) > _MOST_TICKED:
            raise InputError(f"At most {_MOST_TICKED} rows can be ticked. Take all that match.")
        ticked = self.scope().where(model.id.in_([int(key) for key in keys]))
        return Selection(ticked, label, "")
