"""The pages of sealed plans: what they would do, what they did, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, request
from flask_admin import expose
from sqlalchemy.exc import IntegrityError

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.bulk.view import Acting
from backoffice.admin.formatters import show
from backoffice.admin.guards import current_actor
from backoffice.db import db
from backoffice.errors import BackofficeError, PermissionDeniedError
from backoffice.models import BulkPlan, BulkPlanRow, PlanState, RowOutcome
from backoffice.services.bulk_actions import BulkAction, SetValue
from backoffice.services.bulk_plans import (
    Tally,
    apply_plan,
    is_expired,
    tally_rows,
    undo_plan,
)
from backoffice.services.prices import ChangePrice, largest_changes

SHOWN = 100
TYPED_FROM = 1000
_CHANGING = (RowOutcome.PLANNED, RowOutcome.DONE, RowOutcome.REVERTED)
_NOT_DONE = (RowOutcome.BLOCKED, RowOutcome.MOVED, RowOutcome.KEPT, RowOutcome.STUCK)
_REFUSED = "A rule of the database forbids this. What was done so far stands below."


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What the page of a plan shows: numbers by outcome, rows that change, rows that do not."""

    view: Any
    action: BulkAction
    tallies: list[Tally]
    changing: list[BulkPlanRow]
    left_alone: list[BulkPlanRow]
    largest: list[BulkPlanRow]

    @property
    def total(self) -> int:
        """How many rows the plan has."""
        return sum(tally.number for tally in self.tallies)

    def count(self, *outcomes: str) -> int:
        """Return how many rows have one of the outcomes."""
        return sum(tally.number for tally in self.tallies if tally.outcome.value in outcomes)

    @property
    def reasons(self) -> list[Tally]:
        """Why rows are not changed, or what to mind, most often first."""
        return [tally for tally in self.tallies if tally.note][:SHOWN]

    @property
    def must_type(self) -> bool:
        """Whether the number of rows is to be typed, because the effect is large or for good."""
        return not self.action.can_be_undone or self.count("planned") >= TYPED_FROM

    def wanted(self, options: dict[str, Any]) -> str:
        """Return in words what the action was asked for."""
        return self.action.words(options)

    def rate(self, row: BulkPlanRow) -> Decimal:
        """Return by how many per cent a price changes."""
        before, after = Decimal(row.before or 0), Decimal(row.after or 0)
        return (after - before) / before * 100

    def value(self, text: str | None) -> Any:
        """Return a value of the plan as it is shown."""
        if text is None or not isinstance(self.action, SetValue):
            return show(text)
        is_flag = isinstance(self.action.column.type, sa.Boolean)
        return show(text == "True" if is_flag else Decimal(text))


class BulkPlanView(TableView):
    """Changes of many records at once; each is for those who may see its table."""

    model_class = BulkPlan
    read = Permission.CATALOGUE_READ

    column_list = ("created_at", "actor_name", "action", "table_name", "started_at", "finished_at")
    column_details_list = (*column_list, "undone_at", "reason")
    sortable = ("created_at",)
    default_order = "-created_at"
    filters = ("created_at", "actor_name", "table_name", "action")
    searchable = ("actor_name", "action")
    column_labels = {"actor_name": "Who", "created_at": "When", "table_name": "Table"}
    details_template = "admin/bulk/plan.html"

    def scope(self) -> sa.Select[Any]:
        """Return the plans for tables that this person may see."""
        return sa.select(BulkPlan).where(BulkPlan.table_name.in_(visible_tables(self)))

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a plan: what it would do, or what became of it."""
        plan = self.get_one(request.args.get("id", ""))
        return self.render(
            self.details_template,
            plan=plan,
            page=self.page_of(plan),
            is_expired=is_expired(plan),
            return_url=self.get_url(".index_view"),
        )

    def page_of(self, plan: BulkPlan) -> PlanPage:
        """Return what the page shows: three statements, four for prices."""
        view, action = self._found(plan)
        mine = sa.select(BulkPlanRow).where(BulkPlanRow.plan_id == plan.id)
        mine = mine.order_by(BulkPlanRow.id).limit(SHOWN)
        changing = db.session.scalars(mine.where(BulkPlanRow.outcome.in_(_CHANGING))).all()
        left = db.session.scalars(mine.where(BulkPlanRow.outcome.in_(_NOT_DONE))).all()
        return PlanPage(
            view,
            action,
            tally_rows(db.session(), plan.id),
            list(changing),
            list(left),
            largest_changes(db.session(), plan.id) if isinstance(action, ChangePrice) else [],
        )

    @expose("/apply/", methods=("POST",))
    def apply(self) -> Any:
        """Carry the plan out, or go on with it."""
        plan = self.get_one(request.form.get("id", ""))
        view, action = self._found(plan)
        current_actor().require(action.permission)
        page = self.page_of(plan)
        if plan.state is PlanState.SEALED and page.must_type:
            typed = request.form.get("confirm", "").replace(",", "").strip()
            if typed != str(page.count("planned")):
                flash("Type the number of rows to confirm. Nothing was changed.", "danger")
                return redirect(self.get_url(".details_view", id=plan.id), 303)
        reason = request.form.get("reason", "").strip() or None
        return self._do(plan.id, lambda key: apply_plan(
            current_actor(), key, action, view.scope(), reason=reason
        ))  # fmt: skip

    @expose("/undo/", methods=("POST",))
    def undo(self) -> Any:
        """Take back what the plan did."""
        plan = self.get_one(request.form.get("id", ""))
        view, action = self._found(plan)
        return self._do(plan.id, lambda key: undo_plan(current_actor(), key, action, view.scope()))

    def _do(self, plan_id: int, work: Any) -> Any:
        try:
            work(plan_id)
        except PermissionDeniedError:
            raise
        except BackofficeError as error:
            flash(str(error), "danger")
        except IntegrityError:
            flash(_REFUSED, "danger")
        return redirect(self.get_url(".details_view", id=plan_id), 303)

    def _found(self, plan: BulkPlan) -> tuple[Any, BulkAction]:
        """Return the view and the action of a plan; 404 for one that is no longer declared."""
        found = (
            (view, action)
            for view in self.admin._views  # noqa: SLF001
            if isinstance(view, Acting) and view.model_class.__tablename__ == plan.table_name
            for action in view.bulk_actions
            if action.name == plan.action
        )
        return next(found, None) or abort(404)


class BulkPlanRowView(TableView):
    """The rows of all plans; a plan leads to its own."""

    model_class = BulkPlanRow
    read = Permission.CATALOGUE_READ

    column_list = ("record_label", "before", "after", "outcome", "note")
    column_details_list = (*column_list, "plan_id", "record_id")
    default_order = "id"
    filters = ("plan_id", "outcome", "record_id")
    searchable = ("record_label",)
    column_labels = {"record_label": "Record", "plan_id": "Plan", "outcome": "What became of it"}

    def is_visible(self) -> bool:
        """Keep it out of the menu."""
        return False

    def scope(self) -> sa.Select[Any]:
        """Return the rows of plans for tables that this person may see."""
        plans = sa.select(BulkPlan.id).where(BulkPlan.table_name.in_(visible_tables(self)))
        return sa.select(BulkPlanRow).where(BulkPlanRow.plan_id.in_(plans))


def visible_tables(view: TableView) -> list[str]:
    """Return the tables with bulk actions whose list this person may open."""
    return [
        other.model_class.__tablename__
        for other in view.admin._views  # noqa: SLF001
        if isinstance(other, Acting) and other.bulk_actions and other.is_accessible()  # type: ignore[attr-defined]
    ]
