"""Reference data: the category tree and the tags of seeds/reference, added where missing."""

from __future__ import annotations

import csv
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.models import Category, Tag
from backoffice.seeding.plan import SEEDS_DIR
from backoffice.seeding.tables import Loader, Row

SEPARATOR = " / "


class Reference:
    """The ids of categories by path and of tags by name, those still to be made included."""

    def __init__(self, session: Session, loader: Loader, now: datetime) -> None:
        stamps = {"version": 1, "created_at": now, "updated_at": now}
        self.categories = _category_ids(session)
        self.tags = {name: key for key, name in session.execute(sa.select(Tag.id, Tag.name))}
        self.missing: dict[str, list[Row]] = {"categories": [], "tags": []}
        self.unchanged = {"categories": 0, "tags": 0}
        for path in _column("categories", "path"):
            parent, _, name = path.rpartition(SEPARATOR)
            row = {"name": name, "parent_id": self.categories[parent] if parent else None}
            self._want("categories", self.categories, path, row | stamps, loader)
        for name in _column("tags", "name"):
            self._want("tags", self.tags, name, {"name": name} | stamps, loader)

    @property
    def is_incomplete(self) -> bool:
        """Whether anything is to be written."""
        return any(self.missing.values())

    def write(self, loader: Loader) -> None:
        """Write what is missing, parents first."""
        for table, rows in self.missing.items():
            loader.write(table, rows)

    def _want(self, table: str, known: dict[str, int], key: str, row: Row, loader: Loader) -> None:
        if key in known:
            self.unchanged[table] += 1
            return
        known[key] = loader.next_id(table)
        self.missing[table].append({"id": known[key]} | row)


def _category_ids(session: Session) -> dict[str, int]:
    query = sa.select(Category.id, Category.parent_id, Category.name)
    nodes = {key: (parent, name) for key, parent, name in session.execute(query)}

    def path(key: int) -> str:
        parent, name = nodes[key]
        return name if parent is None else f"{path(parent)}{SEPARATOR}{name}"

    return {path(key): key for key in nodes}


def _column(table: str, column: str) -> list[str]:
    file_name = SEEDS_DIR / "reference" / f"{table}.csv"
    with file_name.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]
