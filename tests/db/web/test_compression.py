"""Pages go out compressed, and a page with all it needs stays small."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User
from tests.factories import make_order, make_product

GZIP = {"Accept-Encoding": "gzip"}
SignIn = Callable[[Role], User]


def without_tokens(page: str) -> str:
    """The page without what is new in every answer."""
    return re.sub(r'csrf_token" value="[^"]+"|nonce="[^"]+"', "", page)


def test_a_page_is_compressed_when_asked_and_is_the_same_page(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)

    plain, packed = client.get("/admin/orders/"), client.get("/admin/orders/", headers=GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Length"] == str(len(packed.data))
    unpacked = gzip.decompress(packed.data).decode()
    assert without_tokens(unpacked) == without_tokens(plain.text)
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_the_length_of_a_compressed_page_says_nothing_exact(
    session: Session, client: FlaskClient
) -> None:
    lengths = {len(client.get("/login", headers=GZIP).data) for _ in range(20)}

    assert len(lengths) > 3


@pytest.mark.parametrize("path", ["/livez", "/static/css/backoffice.css"])
def test_small_answers_and_plain_files_are_left_alone(
    session: Session, client: FlaskClient, path: str
) -> None:
    with client.get(path, headers=GZIP) as response:
        assert "Content-Encoding" not in response.headers


def test_a_list_with_all_it_needs_is_small(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.ADMIN)
    product = make_product(session)
    for _ in range(50):
        make_order(session, (product, 1, Decimal(5)))

    page = client.get("/admin/orders/", headers=GZIP).data
    html = gzip.decompress(page).decode()
    urls = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', html))
    assets = sum(len(client.get(url, headers=GZIP).data) for url in urls)

    assert len(urls) + 1 <= 12
    assert len(page) <= 15_000
    assert len(page) + assets <= 120_000
