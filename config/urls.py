"""Which databases may be named."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_TEST_NAME = re.compile(r"(?<![a-z])test(s|ing|db)?(?![a-z])")


def parse_url(text: str) -> URL:
    """Return the URL with psycopg as PostgreSQL's driver; raise ValueError for anything else."""
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        raise ValueError(
            "This is not a database URL of the form scheme://user@host/name."
        ) from None
    if backend in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"{backend} is not supported. Use postgresql+psycopg:// or sqlite:///.")
    return url.set(drivername="sqlite")


def refuse_test_database(setting: str, text: str) -> None:
    """Raise ValueError for a URL of a database that forgets or is there for tests."""
    url = make_url(text) if text else None
    if url is None:
        return
    if url.get_backend_name() == "sqlite" and _is_in_memory(url):
        raise ValueError(
            f"{setting} is an in-memory SQLite database, which forgets everything. "
            "Set it to a file or to PostgreSQL; in memory is for testing only."
        )
    name = Path(url.database or str(url.query.get("dbname", ""))).stem.lower()
    if _TEST_NAME.search(name):
        raise ValueError(
            f"{setting} names a test database ({name!r}). Set it to the real one; "
            "test databases are for APP_ENV=testing."
        )


def _is_in_memory(url: URL) -> bool:
    name = url.database or ":memory:"
    return ":memory:" in name or "mode=memory" in name or url.query.get("mode") == "memory"
