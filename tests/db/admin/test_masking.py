"""Who need not know who a customer is, learns it nowhere; who asks to, leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import GRANTS, Permission, Role, command_actor
from backoffice.admin.base import TableView
from backoffice.models import ChangeSet, Order, OrderEventKind, Profile, User
from backoffice.models.personal import PERSONAL, is_personal
from backoffice.services import audit
from tests.factories import (
    count,
    make_order,
    make_order_event,
    make_payment,
    make_product,
    make_profile,
    make_refund,
    make_user,
)
from tests.pages import post, words

SignIn = Callable[[Role], User]
# None of it is part of any other text of the console.
SECRETS = (
    "zelda", "zmail", "Zelda", "0049-1", "ztown", "Zname", "zbio", "zavatar", "zrang", "zdata",
    "zrefund",
)  # fmt: skip


@pytest.fixture
def order(committed: Session) -> Order:
    """An order of a customer of whom everything is known."""
    session = committed
    user = make_user(session, username="zelda", email="zmail@example.com")
    make_profile(
        session, user, full_name="Zelda Zname", phone_number="0049-1", bio="zbio",
        avatar_url="https://x.example/zavatar",
    )  # fmt: skip
    order = make_order(
        session, (make_product(session, name="Mug"), 2, Decimal(15)), user=user, number="A1",
        email="zmail@example.com", customer_name="Zelda Zname", address="1 ztown",
    )  # fmt: skip
    refund = make_refund(session, make_payment(session, order), (order.items[0], 1, Decimal(5)))
    refund.note = "zrefund"
    make_order_event(session, order, OrderEventKind.NOTE_ADDED, body="zrang", data={"to": "zdata"})
    return order


@pytest.fixture
def masked(order: Order, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody who may read everything but not know who customers are."""
    everything = GRANTS[Role.ADMIN] - {Permission.CUSTOMER_CONTACT}
    monkeypatch.setitem(GRANTS, Role.ANALYST, everything)
    return sign_in(Role.ANALYST)


def told(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def views(app: Flask) -> list[TableView]:
    return [v for v in app.extensions["admin"][0]._views if isinstance(v, TableView)]


def logged(session: Session) -> None:
    """Changes of what is personal, as forms leave them in the change log."""
    session.rollback()
    for model in (User, Profile, Order):
        record = session.scalars(sa.select(model).order_by(model.id)).first()
        assert record is not None
        changes = dict.fromkeys(PERSONAL[model], ("zelda", "Zname"))
        changes |= {"profile.full_name": ("zelda", "Zname")} if model is User else {}
        audit.record(
            session, command_actor("tester"), "x.update", record, changes=changes,
            details={"query": "search=zmail"},
        )  # fmt: skip
    session.commit()


@pytest.mark.usefixtures("masked")
def test_no_list_record_or_file_tells_who_a_customer_is(
    committed: Session, app: Flask, client: FlaskClient
) -> None:
    logged(committed)
    for view in views(app):
        plain = list(dict.fromkeys([*view.column_list, *view.exportable]))
        post(client, f"/admin/{view.endpoint}/columns/", column=plain)
        listed = client.get(f"/admin/{view.endpoint}/")
        assert listed.status_code == 200
        assert told(listed.text) == [], view.endpoint
        for form in ("csv", "jsonl"):
            columns = "&".join(f"columns={name}" for name in view.exportable)
            taken = client.get(f"/admin/{view.endpoint}/export.{form}?{columns}", buffered=True)
            assert taken.status_code == 200
            assert told(taken.text) == [], f"{view.endpoint}.{form}"
        for key in committed.scalars(sa.select(view.model.id)).all():
            page = client.get(f"/admin/{view.endpoint}/details/?id={key}")
            assert page.status_code in (200, 404)
            assert told(page.text) == [], f"{view.endpoint} {key}"


def test_the_walk_sees_what_is_there_for_who_may_know(
    committed: Session, order: Order, client: FlaskClient, sign_in: SignIn
) -> None:
    key, user = order.id, order.user_id
    sign_in(Role.MANAGER)

    assert "zmail" in client.get(f"/admin/orders/details/?id={key}").text
    assert "Zelda Zname" in client.get(f"/admin/customers/details/?id={user}").text
    assert "zelda" in client.get("/admin/customers/").text
    assert "zelda" in client.get("/admin/orders/export.csv", buffered=True).text


@pytest.mark.usefixtures("masked")
def test_no_search_picker_or_palette_tells_who_a_customer_is(
    order: Order, client: FlaskClient
) -> None:
    user = order.user_id
    for path in (
        "/admin/",
        "/admin/palette/records.json?q=zelda",
        "/admin/palette/records.json?q=zmail@example.com",
        "/admin/palette/records.json?q=A1",
        "/admin/orders/pick/user?q=",
        f"/admin/orders/pick/user?id={user}",
        f"/admin/orders/pick/user?q={user}",
        f"/admin/orders/?user={user}",
        f"/admin/customers/guest/?order={order.id}",
        "/admin/reports/top_customers?from=2020-01-01",
        "/admin/reports/top_customers.csv?from=2020-01-01",
        "/admin/reports/top_customers.json?from=2020-01-01",
    ):
        answer = client.get(path)
        assert answer.status_code in (200, 302), path
        text = answer.text.replace('value="zelda"', "").replace("zmail@example.com", "")
        assert told(answer.text if "q=z" not in path else text) == [], path

    assert client.get("/admin/palette/records.json?q=zelda").json == {"hits": []}
    assert client.get("/admin/palette/records.json?q=zmail@example.com").json == {"hits": []}
    assert client.get("/admin/orders/pick/user?q=zel").json == []
    (choice,) = client.get(f"/admin/orders/pick/user?q={user}").json or []
    assert choice == {"id": user, "label": f"Account {user}", "hint": ""}
    assert "Customer 1" in client.get("/admin/reports/top_customers?from=2020-01-01").text


@pytest.mark.usefixtures("masked")
@pytest.mark.parametrize(
    ("path", "notice"),
    [
        ("orders/?sort=user", "cannot be sorted"),
        ("customers/?sort=-email", "cannot be sorted"),
        ("profiles/?sort=full_name", "cannot be sorted"),
    ],
)
def test_no_order_tells_what_is_hidden(client: FlaskClient, path: str, notice: str) -> None:
    assert notice in client.get(f"/admin/{path}").text


@pytest.mark.usefixtures("masked")
def test_no_search_finds_by_what_is_hidden(client: FlaskClient) -> None:
    orders = words(client.get("/admin/orders/?search=zmail"))

    assert "No orders match" in orders
    assert "Search by number" in client.get("/admin/orders/").text
    # Nothing that could be searched in: the list has no search, and finds nothing by one.
    assert "No customers match" in words(client.get("/admin/customers/?search=zelda"))


def test_nobody_changes_what_they_may_not_see(
    committed: Session, order: Order, masked: User, client: FlaskClient
) -> None:
    answers = [
        client.get(f"/admin/orders/edit/?id={order.id}").status_code,
        post(
            client, f"/admin/orders/edit/?id={order.id}", email="a@b.example", row_version="1"
        ).status_code,
    ]

    assert answers == [403, 403]
    committed.refresh(order)
    assert order.email == "zmail@example.com"


def test_every_column_that_names_a_customer_exists() -> None:
    for model, names in PERSONAL.items():
        assert names <= set(sa.inspect(model).column_attrs.keys())
    assert not is_personal(Order, "number")


REVEALED = [("orders", "zmail@example.com"), ("customers", "zelda"), ("profiles", "Zelda Zname")]


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(("endpoint", "secret"), REVEALED)
def test_a_reason_uncovers_one_record_once_and_is_logged(
    committed: Session, client: FlaskClient, sign_in: SignIn, endpoint: str, secret: str
) -> None:
    analyst = sign_in(Role.ANALYST)
    models: dict[str, Any] = {"orders": Order, "customers": User, "profiles": Profile}
    model = models[endpoint]
    key = committed.scalars(sa.select(model.id).order_by(model.id)).first()
    page = f"/admin/{endpoint}/details/?id={key}"
    assert "Reveal" in words(client.get(page))

    shown = post(client, f"/admin/{endpoint}/reveal/", id=key, reason="A parcel came back")

    assert shown.status_code == 200
    assert secret in words(shown)
    assert told(client.get(page).text) == []
    (made,) = committed.scalars(sa.select(ChangeSet)).all()
    assert (made.action, made.reason) == ("customer.reveal", "A parcel came back")
    assert (made.actor_id, made.table_name, made.record_id) == (
        analyst.id, model.__tablename__, key,
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  ", "x", "x" * 501])
def test_without_a_reason_nothing_is_uncovered_nor_logged(
    committed: Session, order: Order, client: FlaskClient, sign_in: SignIn, reason: str
) -> None:
    sign_in(Role.ANALYST)

    refused = post(client, "/admin/orders/reveal/", id=order.id, reason=reason)

    assert refused.status_code == 422
    assert "why you need to know" in words(refused)
    assert f'value="{reason}"' in refused.text
    assert told(refused.text) == []
    assert count(committed, ChangeSet) == 0


def test_only_who_may_reveal_does(
    committed: Session, order: Order, client: FlaskClient, sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sign_in(Role.ANALYST)
    without = GRANTS[Role.ANALYST] - {Permission.CUSTOMER_REVEAL}
    monkeypatch.setitem(GRANTS, Role.ANALYST, without)

    refused = post(client, "/admin/orders/reveal/", id=order.id, reason="Just to look")

    assert refused.status_code == 403
    assert "Reveal" not in words(client.get(f"/admin/orders/details/?id={order.id}"))
    assert client.post("/admin/orders/reveal/", data={"id": order.id}).status_code == 400
    assert client.get("/admin/orders/reveal/").status_code == 405
    assert count(committed, ChangeSet) == 0


def test_a_product_has_nothing_to_reveal(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = make_product(session)
    sign_in(Role.ANALYST)

    refused = post(client, "/admin/products/reveal/", id=product.id, reason="No names")

    assert refused.status_code == 404
    assert count(session, ChangeSet) == 0
