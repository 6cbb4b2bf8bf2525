"""A plan of the demo shop, whole and small, and a look at everything that was written."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Base
from backoffice.seeding.plan import Plan, load_plan

# The log says who and when it really was, so it differs from run to run.
# PostgreSQL numbers orders by a sequence, SQLite by a row.
_LOG = ("change_sets", "changes", "number_series")


@pytest.fixture(scope="session")
def plan() -> Plan:
    """The demo shop as it is delivered."""
    return load_plan("demo", zone="Europe/London", currency="GBP")


@pytest.fixture(scope="session")
def small(plan: Plan) -> Plan:
    """The same shop with few rows, for tests that do not look at shapes."""
    return dataclasses.replace(plan, products=40, customers=30, orders=120)


@pytest.fixture
def digest() -> Callable[[Session], str]:
    """Return the digest of every row but the log's, in the order of the keys."""

    def build(session: Session) -> str:
        found = hashlib.sha256()
        for table in Base.metadata.sorted_tables:
            if table.name not in _LOG:
                found.update(table.name.encode())
                for row in session.execute(sa.select(table).order_by(*table.primary_key)):
                    found.update(repr(tuple(row)).encode())
        return found.hexdigest()

    return build
