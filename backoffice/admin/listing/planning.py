"""How a list's statements are planned: for what was asked, not for anything that might be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.orm import Session


@contextmanager
def planned_for_values(session: Session) -> Iterator[None]:
    """Have PostgreSQL plan what is sent meanwhile for its values.

    A plan that is kept for any value walks the whole table for a search that finds nothing.
    """
    driver: Any = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    kept, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = kept
