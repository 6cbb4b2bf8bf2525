"""Rules of the category tree."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.errors import RuleViolationError
from backoffice.models import Category
from backoffice.services.locks import lock_category_tree

LONGEST_PATH = 500
_PATHS = sa.text("""
WITH RECURSIVE above (id, parent_id, path) AS (
    SELECT id, parent_id, CAST(name AS TEXT) FROM categories WHERE id IN :ids
    UNION ALL
    SELECT above.id, c.parent_id, c.name || ' / ' || above.path
    FROM above JOIN categories c ON c.id = above.parent_id
)
SELECT id, substr(path, 1, :longest) AS path FROM above WHERE parent_id IS NULL
""").bindparams(sa.bindparam("ids", expanding=True))


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


def category_paths(session: Session, category_ids: Iterable[int | None]) -> dict[int | None, str]:
    """Return where each category lies, from the root down: {id: "Home / Lamps"}; joins the caller.

    A path that is too long for a snapshot loses its end.
    """
    wanted = sorted({key for key in category_ids if key is not None})
    if not wanted:
        return {}
    rows = session.execute(_PATHS, {"ids": wanted, "longest": LONGEST_PATH})
    return {row.id: row.path for row in rows}
