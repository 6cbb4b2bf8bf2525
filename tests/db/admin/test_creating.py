"""A form that is sent twice makes one row, and leads to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import ChangeSet, Tag, User
from tests.factories import count, make_login, make_user
from tests.pages import words

SignIn = Callable[[Role], User]
NEW = "/admin/tags/new/"


def opened(client: FlaskClient, page: str = NEW) -> dict[str, str]:
    """Return the hidden fields of a fresh form."""
    found = re.findall(
        r'name="(csrf_token|form_token)"[^>]* value="([^"]+)"', client.get(page).text
    )
    return dict(found)


def test_a_form_sent_twice_makes_one_row_and_leads_to_it(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    form = opened(client) | {"name": "fragile"}

    first, second = client.post(NEW, data=form), client.post(NEW, data=form)

    tag = session.scalars(sa.select(Tag)).one()
    assert (first.status_code, first.location) == (302, "/admin/tags/")
    assert (second.status_code, second.location) == (302, f"/admin/tags/details/?id={tag.id}")
    assert count(session, ChangeSet) == 1
    assert "This is taken already" not in words(client.get(second.location))


def test_another_button_of_the_same_form_makes_no_second_row(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    form = opened(client) | {"name": "fragile"}

    client.post(NEW, data=form)
    again = client.post(NEW, data=form | {"_continue_editing": "1"})

    tag = session.scalars(sa.select(Tag)).one()
    assert again.location == f"/admin/tags/edit/?id={tag.id}&url=/admin/tags/"


def test_a_form_that_was_changed_before_it_was_sent_again_makes_another_row(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    form = opened(client)

    for name in ("fragile", "heavy"):
        client.post(NEW, data=form | {"name": name})

    assert set(session.scalars(sa.select(Tag.name))) == {"fragile", "heavy"}


def test_two_forms_of_the_same_content_are_two(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    page = "/admin/products/new/"
    product = {
        "sku": "A",
        "name": "x",
        "price": "1",
        "low_stock_threshold": "1",
        "is_available": "y",
    }
    client.post(page, data=opened(client, page) | product)

    refused = client.post(page, data=opened(client, page) | product)

    assert 'id="sku-error">This is taken already' in refused.text


def test_the_form_of_another_person_is_another_form(
    session: Session, client: FlaskClient, app: Flask, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    token = opened(client)["form_token"]
    client.post(NEW, data=opened(client) | {"name": "fragile", "form_token": token})
    sign_in(Role.ADMIN)

    theirs = client.post(NEW, data=opened(client) | {"name": "fragile", "form_token": token})

    assert "This is taken already" in words(theirs)


def test_a_form_whose_row_is_deleted_is_refused(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    form = opened(client) | {"name": "fragile"}
    client.post(NEW, data=form)
    session.execute(sa.delete(Tag))

    again = client.post(NEW, data=form)

    assert "What this form made is deleted. Open a new form to add it." in words(again)
    assert (count(session, Tag), count(session, ChangeSet)) == (0, 1)


def test_a_panel_sent_twice_makes_one_row(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(Role.MANAGER)
    page = f"{NEW}?panel=1"
    form = opened(client, page) | {"name": "fragile"}

    answers = [client.post(page, data=form) for _ in range(2)]

    tag = session.scalars(sa.select(Tag)).one()
    assert [(answer.status_code, answer.get_json()) for answer in answers] == [
        (201, {"id": tag.id}),
        (201, {"id": tag.id}),
    ]


@pytest.mark.parametrize("page", ["products", "categories"])
def test_a_form_sent_twice_at_once_makes_one_row(committed: Session, app: Flask, page: str) -> None:
    user = make_user(committed, Role.MANAGER)
    login = make_login(committed, user)
    address = f"/admin/{page}/new/"

    def browser() -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie.update(login, _fresh=True)
        return client

    client = browser()
    form: dict[str, Any] = opened(client, address)
    form |= {"name": "x", "sku": "A", "price": "1", "low_stock_threshold": "1", "is_available": "y"}

    def send(other: FlaskClient) -> int:
        return other.post(address, data=form).status_code

    others = [browser() for _ in range(4)]
    for other in others:
        # The token of the form belongs to the session that it was opened in.
        with client.session_transaction() as ours, other.session_transaction() as theirs:
            theirs.update(ours)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(send, others))

    assert statuses == [302] * 4
    assert count(committed, ChangeSet) == 1
