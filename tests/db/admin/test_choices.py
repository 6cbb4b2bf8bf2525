"""Columns and saved views: what a person makes of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import OrderStatus, SavedView, User
from tests.factories import count, make_order, make_product
from tests.pages import post, words

SignIn = Callable[[Role], User]
COLUMNS = "/admin/orders/columns/"
VIEWS = "/admin/orders/views/"


def heads(client: FlaskClient) -> list[str]:
    page = client.get("/admin/orders/?all=").text
    found = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>|[↑↓]", "", head).strip() for head in found]


@pytest.fixture
def order(session: Session) -> None:
    make_order(session, (make_product(session), 1, Decimal(5)), country="France")


def test_a_person_chooses_columns_and_goes_back_to_the_usual_ones(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    sign_in(Role.SUPPORT)
    usual = heads(client)

    response = post(client, COLUMNS, column=["number", "email"], url="/admin/orders/?sort=number")

    assert response.location == "/admin/orders/?sort=number"
    assert heads(client) == ["Number", "E-mail"]
    post(client, COLUMNS, reset="1", column=["number"])
    assert heads(client) == usual


def test_the_choice_of_one_person_is_not_that_of_another(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    sign_in(Role.SUPPORT)
    usual = heads(client)
    post(client, COLUMNS, column=["number"])
    sign_in(Role.SUPPORT)

    assert heads(client) == usual


@pytest.mark.parametrize("column", ["idempotency_key", "items", "nonsense", "version"])
def test_only_declared_columns_can_be_chosen(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None, column: str
) -> None:
    sign_in(Role.SUPPORT)

    post(client, COLUMNS, column=["number", column])

    assert heads(client) == ["Number"]


def test_a_question_is_found_again_under_its_name(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    product = make_product(session)
    make_order(session, (product, 1, Decimal(5)), number="OPEN", status=OrderStatus.PENDING)
    sign_in(Role.SUPPORT)

    saved = post(client, VIEWS, name="To pay", query="status=pending&sort=number", is_pinned="y")

    page = client.get(saved.location)
    assert re.search(r'aria-current="page">To pay</a>', page.text)
    assert "OPEN" in words(page)
    assert "France" not in words(page)


def test_a_private_view_is_seen_by_nobody_else(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    sign_in(Role.SUPPORT)
    post(client, VIEWS, name="Mine", query="status=pending", is_pinned="y")
    assert "Mine" in words(client.get("/admin/orders/?all="))
    client.delete_cookie("backoffice_session")
    sign_in(Role.ADMIN)

    assert "Mine" not in words(client.get("/admin/orders/?all="))


def test_a_list_opens_with_the_default_of_the_role(
    session: Session, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    sign_in(Role.MANAGER)
    post(client, VIEWS, name="Open", query="status=pending", role="support", is_default="y")
    assert client.get("/admin/orders/").status_code == 200

    sign_in(Role.SUPPORT)

    view = session.scalars(sa.select(SavedView)).one()
    assert client.get("/admin/orders/").location == (
        f"/admin/orders/?status=pending&view={view.id}"
    )
    assert client.get("/admin/orders/?all=").status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "", "query": "status=paid"}, "A view's name has 1 to 80 characters"),
        ({"name": "x", "query": "search=" + "a" * 5000}, "too long to be saved"),
        ({"name": "x", "query": "", "role": "king"}, "There is no such role"),
        ({"name": "x", "query": "", "role": "support"}, "permission"),
        ({"name": "x", "query": "", "is_default": "y"}, "permission"),
    ],
)
def test_a_view_that_cannot_be_saved_is_refused_without_a_trace(
    session: Session,
    client: FlaskClient,
    sign_in: SignIn,
    order: None,
    fields: dict[str, str],
    sentence: str,
) -> None:
    sign_in(Role.SUPPORT)

    post(client, VIEWS, **fields)

    assert sentence in words(client.get("/admin/orders/?all="))
    assert count(session, SavedView) == 0


def test_the_owner_deletes_a_view_and_others_do_not(
    session: Session, app: Flask, client: FlaskClient, sign_in: SignIn, order: None
) -> None:
    owner = sign_in(Role.SUPPORT)
    post(client, VIEWS, name="Mine", query="status=pending")
    view = session.scalars(sa.select(SavedView)).one()

    sign_in(Role.SUPPORT)
    assert post(client, f"{VIEWS}delete/", id=view.id).status_code == 404
    assert count(session, SavedView) == 1
    assert owner.id == view.owner_id


@pytest.mark.parametrize("path", [COLUMNS, VIEWS, f"{VIEWS}delete/"])
def test_who_may_not_read_the_table_cannot_choose(
    session: Session, client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    sign_in(Role.OPERATOR)

    assert post(client, path, name="x", query="").status_code == 403
    assert count(session, SavedView) == 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("search=1\r\nX: y", "This is no address of a list."),
        ("search=a#b", "This is no address of a list."),
        ("#b", "This list does not know: #b."),
        ("_anchor=b", "This list does not know: _anchor."),
        ("url=https://elsewhere.example", "This list does not know: url."),
    ],
)
def test_a_list_never_opens_with_a_question_that_it_cannot_answer(
    session: Session, client: FlaskClient, sign_in: SignIn, query: str, sentence: str
) -> None:
    sign_in(Role.MANAGER)

    answer = post(client, VIEWS, name="x", query=query, role="manager", is_default="1")

    assert answer.status_code == 302
    page = client.get("/admin/orders/")
    assert page.status_code == 200
    assert sentence in words(page)
    assert count(session, SavedView) == 0
