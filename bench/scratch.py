"""A database of made-up orders for the benches: made on the server, and dropped again."""

from __future__ import annotations

import argparse
import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from werkzeug.security import generate_password_hash

from backoffice.access import Role
from backoffice.app import create_app
from backoffice.db import db
from backoffice.models import User
from config import TestingConfig

SERVER = "postgresql://postgres@127.0.0.1/postgres"
ORDERS_PER_CUSTOMER = 10
PAGE = 50
PASSWORD = secrets.token_urlsafe(16)
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_CUSTOMERS = """
    INSERT INTO users (username, email, role, is_active, session_version, version,
                       created_at, updated_at)
    SELECT 'customer' || g, 'customer' || g || '@example.com', 'customer', true, 1, 1, now(), now()
    FROM generate_series(1, %(customers)s::int) AS g
"""
# Amounts and customers jump about, moments go on: as in a shop, and the same every time.
_ORDERS = """
    INSERT INTO orders (number, user_id, email, customer_name, address, country, currency,
                        subtotal_amount, discount_amount, shipping_amount, tax_amount,
                        total_amount, status, placed_at, placed_on, paid_at, paid_on,
                        completed_at, version, created_at, updated_at)
    SELECT 'N' || lpad(g::text, 9, '0'), u, 'customer' || u || '@example.com', 'Customer ' || u,
           g || ' High Street', 'United Kingdom', 'GBP', amount, 0, 0, 0, amount,
           CASE WHEN g %% 10 < 6 THEN 'completed' WHEN g %% 10 < 9 THEN 'paid' ELSE 'pending' END,
           moment, moment::date,
           CASE WHEN g %% 10 < 9 THEN moment END, CASE WHEN g %% 10 < 9 THEN moment::date END,
           CASE WHEN g %% 10 < 6 THEN moment END, 1, moment, moment
    FROM (SELECT g, 1 + (g::bigint * 7919) %% %(customers)s AS u,
                 (1 + (g::bigint * 104729) %% 50000) / 100.0 AS amount,
                 timestamptz '2015-01-01' + g * interval '1 minute' AS moment
          FROM generate_series(1, %(orders)s::int) AS g) AS made
"""


def options(description: str | None) -> argparse.ArgumentParser:
    """Return the arguments that every bench over orders takes."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--database-url", default=SERVER, help="the server, PostgreSQL")
    parser.add_argument("--orders", type=int, default=1_000_000)
    return parser


@contextmanager
def shop(server: str, orders: int) -> Iterator[Flask]:
    """Give the application on a database of its own with so many orders."""
    logging.disable(logging.WARNING)
    name = f"bo_bench_{secrets.token_hex(3)}"
    url = make_url(server)
    _on_server(url, "CREATE DATABASE {}", name)
    try:
        scratch = url.set(drivername="postgresql+psycopg", database=name)
        # As in production: the development's look at edited files at each page would count.
        uri = scratch.render_as_string(hide_password=False)
        app = create_app(TestingConfig(SQLALCHEMY_DATABASE_URI=uri))
        with app.app_context():
            upgrade()
            _fill(scratch, orders)
            yield app
            db.session.remove()
            db.engine.dispose()
    finally:
        _on_server(url, "DROP DATABASE {} WITH (FORCE)", name)


def signed_in(app: Flask) -> FlaskClient:
    """Return a browser in which an administrator has signed in."""
    with app.app_context():
        user = User(username="bench", role=Role.ADMIN, email="bench@example.com")
        user.password_hash = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")
        db.session.add(user)
        db.session.commit()  # a bench makes its own rows, outside the rules of the house
    client = app.test_client()
    token = _TOKEN.search(client.get("/login").text)
    fields = {"username": "bench", "password": PASSWORD, "csrf_token": token[1] if token else ""}
    answer = client.post("/login", data=fields)
    if answer.status_code != 302:
        raise SystemExit(f"Signing in was answered with {answer.status_code}.")
    return client


def conninfo(url: URL | str) -> str:
    """Return the URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _fill(url: URL, orders: int) -> None:
    started = time.perf_counter()
    numbers = {"orders": orders, "customers": max(1, orders // ORDERS_PER_CUSTOMER)}
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(_CUSTOMERS, numbers)
        connection.execute(_ORDERS, numbers)
        connection.execute("VACUUM ANALYZE")
    print(f"{orders:,} orders made in {time.perf_counter() - started:.0f} s")


def _on_server(url: URL, statement: str, name: str) -> None:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
