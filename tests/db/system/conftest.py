"""A database of its own for every test that changes the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from backoffice.app import create_app
from backoffice.db import db
from config import TestingConfig
from tests.postgres import sibling_database


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the same kind as the shared one."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        with sibling_database(database_url) as url:
            yield url


@pytest.fixture
def empty_app(empty_url: str) -> Iterator[Flask]:
    """The application on an empty database, with its context pushed."""
    app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=empty_url))
    with app.app_context():
        yield app
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
