"""The figures of the last day: noted once per moment, bounded, and drawn on the health page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.admin.health_history import draw_history
from backoffice.db import utc_now
from backoffice.models import ChangeSet, HealthSample, User
from backoffice.services.health_samples import due_at, keep_sample, read_samples
from backoffice.web.sampler import take_sample
from tests.factories import count

NOW = datetime(2026, 5, 1, 12, 33, 7, tzinfo=UTC)


def test_of_several_workers_one_notes_the_moment(committed: Session, app: Flask) -> None:
    for _worker in range(3):
        take_sample(app)

    [(_at, _instance, figures)] = read_samples(committed)
    assert figures["size_bytes"] > 0
    assert figures["requests"] >= 0
    assert count(committed, ChangeSet) == 0


def test_the_second_of_two_at_once_changes_nothing(committed: Session) -> None:
    at = due_at(utc_now())
    keep_sample(at, "one", {"connections": 1})
    keep_sample(at, "one", {"connections": 2})
    keep_sample(at, "two", {"connections": 3})

    found = committed.execute(sa.select(HealthSample.instance, HealthSample.figures))
    assert sorted((name, figures["connections"]) for name, figures in found) == [
        ("one", 1),
        ("two", 3),
    ]


def test_what_is_older_than_a_day_is_forgotten(committed: Session) -> None:
    keep_sample(due_at(NOW) - timedelta(hours=26), "one", {})
    keep_sample(due_at(NOW), "one", {})

    assert due_at(NOW) == datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    assert committed.scalars(sa.select(HealthSample.taken_at)).all() == [due_at(NOW)]


def test_rates_are_of_all_servers_together_and_begin_anew_with_a_restart() -> None:
    at = due_at(utc_now()) - timedelta(minutes=15)
    step = timedelta(minutes=5)

    def sample(place: int, instance: str, since: str, requests: int) -> tuple[object, ...]:
        figures = {"since": since, "requests": requests, "failed": 0, "seconds": requests / 10}
        return at + place * step, instance, figures

    charts = {
        chart.name: chart
        for chart in draw_history(
            [
                sample(0, "a", "x", 100),
                sample(0, "b", "x", 0),
                sample(1, "a", "x", 150),
                sample(1, "b", "x", 25),
                sample(2, "a", "y", 5),  # restarted
                sample(2, "b", "x", 30),
            ]
        )
    }

    assert charts["requests_per_minute"].highest == 15.0
    assert charts["requests_per_minute"].latest == 1.0
    assert charts["mean_seconds"].latest == 0.1


def test_the_page_draws_them(
    committed: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.OPERATOR)
    now = due_at(utc_now())
    for minutes in (10, 5, 0):
        counted = {"since": "x", "requests": 0, "failed": 0, "seconds": 0.0}
        keep_sample(now - timedelta(minutes=minutes), "one", counted | {"connections": 7})

    page = client.get("/admin/health/").text

    assert "Connections to the database: now 7, lowest 7, highest 7" in page
    assert page.count("<polyline") == 3


def test_the_page_stands_without_the_table(
    committed: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.OPERATOR)
    committed.execute(sa.text("ALTER TABLE health_samples RENAME TO away"))
    committed.commit()
    try:
        answer = client.get("/admin/health/")
    finally:
        committed.execute(sa.text("ALTER TABLE away RENAME TO health_samples"))
        committed.commit()

    assert answer.status_code == 200
    assert "Nothing was written down yet" in answer.text
