"""Rules of the category tree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.db import transaction
from backoffice.errors import RuleViolationError
from backoffice.models import Category
from backoffice.services.categories import require_no_cycle
from tests.factories import make_category


def move(app: Flask, key: int, below: int, *, checked: Event, go_on: Event) -> None:
    with app.app_context(), transaction() as session:
        category = session.get_one(Category, key)
        with session.no_autoflush:
            category.parent = session.get_one(Category, below)
            require_no_cycle(session, category)
        checked.set()
        go_on.wait(1)


def test_two_moves_at_once_make_no_cycle(app: Flask, committed: Session) -> None:
    first, second = (make_category(committed, name).id for name in ("First", "Second"))
    committed.commit()
    checked, go_on, late = Event(), Event(), Event()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(move, app, first, second, checked=checked, go_on=go_on)
        checked.wait(5)
        other = pool.submit(move, app, second, first, checked=late, go_on=late)
        assert not late.wait(0.5)
        go_on.set()
        one.result(10)
        with pytest.raises(RuleViolationError, match="cannot lie below itself"):
            other.result(10)

    assert committed.get_one(Category, second).parent_id is None
