"""Rules of the category tree."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.errors import RuleViolationError
from backoffice.models import Category
from backoffice.services.locks import lock_category_tree


def require_no_cycle(session: Session, category: Category) -> None:
    """Raise RuleViolationError when the category is among its own ancestors; joins the caller.

    Locks the tree, so that nobody moves an ancestor between the check and the commit.
    """
    if category.parent is None:
        return
    lock_category_tree(session)
    seen = {category.id}
    ancestor_id: int | None = category.parent.id
    while ancestor_id is not None:
        if ancestor_id in seen:
            raise RuleViolationError("A category cannot lie below itself. Choose another parent.")
        seen.add(ancestor_id)
        ancestor_id = session.scalar(
            sa.select(Category.parent_id).where(Category.id == ancestor_id)
        )
