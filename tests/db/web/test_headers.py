"""The headers of every response."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User

PATHS = ["/login", "/admin/", "/admin/orders/", "/nowhere", "/livez", "/static/css/backoffice.css"]


@pytest.mark.parametrize("path", PATHS)
def test_every_response_carries_the_policy(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], path: str
) -> None:
    sign_in(Role.ADMIN)

    with client.get(path) as response:
        headers = response.headers

    policy = re.sub(r"nonce-[\w-]{20,}", "nonce", headers["Content-Security-Policy"])
    assert policy == (
        "default-src 'none'; script-src 'self' 'nonce'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_nonce_is_new_each_time(session: Session, client: FlaskClient) -> None:
    policies = {client.get("/login").headers["Content-Security-Policy"] for _ in range(3)}

    assert len(policies) == 3


def test_pages_are_not_kept_by_caches_but_assets_are(session: Session, client: FlaskClient) -> None:
    assert client.get("/login").headers["Cache-Control"] == "no-store"
    with client.get("/static/css/backoffice.css") as response:
        assert "no-store" not in response.headers["Cache-Control"]


def test_https_is_insisted_on_once_it_is_used(session: Session, client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers
    secure = client.get("/login", base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/login", "/admin/", "/admin/orders/", "/admin/products/new/"])
def test_no_page_has_inline_code_or_styles(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User], path: str
) -> None:
    if path != "/login":
        sign_in(Role.ADMIN)

    page = client.get(path).text

    assert not re.search(r"\son\w+=|style=|javascript:|<style|https?://(?!www\.w3\.org)", page)
