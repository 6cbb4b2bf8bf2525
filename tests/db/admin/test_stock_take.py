"""Counting many products: looked at first, kept row by row, refused at the row."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice.access import Role
from backoffice.models import ChangeSet, OrderStatus, Product, StockMovement, User
from tests.factories import count, make_order, make_product, move_stock
from tests.pages import csrf_token, words

SignIn = Callable[[Role], User]
PAGE = "/admin/stock_take/"
Line = tuple[str, str, str]


def stocked(session: Session, sku: str, units: int = 10) -> Product:
    product = make_product(session, sku=sku, name=f"Our {sku.lower()}")
    move_stock(session, product, units)
    return product


def send(
    client: FlaskClient, *lines: Line, do: str = "check", reason: str = "Stock-take"
) -> TestResponse:
    """Send (SKU, count, what was shown as on hand) lines, as the form has them."""
    return client.post(
        PAGE,
        data={
            "csrf_token": csrf_token(client),
            "do": do,
            "reason": reason,
            "sku": [sku for sku, _counted, _expected in lines],
            "counted": [counted for _sku, counted, _expected in lines],
            "seen": [sku if expected else "" for sku, _counted, expected in lines],
            "expected": [expected for _sku, _counted, expected in lines],
        },
    )


def rows(response: TestResponse) -> list[str]:
    """Return what each row that is not blank says."""
    found = response.text.split('<div class="count-about"')[1:]
    texts = [row.partition(">")[2].partition("</div>")[0] for row in found]
    return [" ".join(re.sub("<[^>]+>", " ", text).split()) for text in texts]


def stocks(session: Session) -> dict[str, int]:
    session.expire_all()
    return dict(session.execute(sa.select(Product.sku, Product.stock)).all())


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff])
def test_it_is_for_those_who_may_set_the_stock(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    stocked(session, "MUG")
    sign_in(role)
    may = role in (Role.MANAGER, Role.ADMIN)

    assert client.get(PAGE).status_code == (200 if may else 403)
    assert send(client, ("MUG", "8", "10"), do="save").status_code == (303 if may else 403)
    assert stocks(session) == {"MUG": 8 if may else 10}


def test_a_code_and_enter_show_the_product_and_ask_for_its_count(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = stocked(session, "MUG")
    make_order(session, (product, 4, Decimal(1)), status=OrderStatus.PAID)
    sign_in(Role.MANAGER)

    response = send(client, (" mug ", "", ""))

    assert response.status_code == 200
    assert rows(response)[0] == "Our mug On hand 14, 4 for open orders"
    assert re.search(r'id="counted-1"[^>]*autofocus', response.text)
    assert "Keep the counts" not in response.text
    assert count(session, ChangeSet) == 0


def test_a_check_shows_differences_and_changes_nothing(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    stocked(session, "CUP")
    stocked(session, "MUG")
    sign_in(Role.MANAGER)

    response = send(client, ("CUP", "10", ""), ("MUG", "8", ""))

    assert rows(response)[:2] == [
        "Our cup On hand 10; difference none",
        "Our mug On hand 10; difference -2",
    ]
    assert "Keep the counts" in response.text
    assert re.search(r'id="sku-3"[^>]*autofocus', response.text)
    assert (stocks(session), count(session, ChangeSet)) == ({"CUP": 10, "MUG": 10}, 0)


def test_counts_that_were_checked_are_kept(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    stocked(session, "CUP")
    stocked(session, "MUG")
    manager = sign_in(Role.MANAGER)

    response = send(client, ("CUP", "10", "10"), ("MUG", "8", "10"), do="save", reason="Shelf 4")

    assert (response.status_code, response.location) == (303, PAGE)
    assert "2 counts are kept, 1 of them with a difference." in words(client.get(PAGE))
    assert stocks(session) == {"CUP": 10, "MUG": 8}
    newest = session.scalars(sa.select(StockMovement).order_by(StockMovement.id.desc())).first()
    assert newest is not None
    assert (newest.delta, newest.reason, newest.actor_name) == (-2, "Shelf 4", manager.username)


def test_a_count_that_was_not_checked_is_only_shown(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    stocked(session, "MUG")
    sign_in(Role.MANAGER)

    response = send(client, ("MUG", "8", ""), do="save")

    assert rows(response)[0] == "Our mug On hand 10; difference -2"
    assert stocks(session) == {"MUG": 10}


def test_what_was_seen_of_one_product_is_not_used_for_another(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    stocked(session, "CUP", 7)
    sign_in(Role.MANAGER)
    data = {"sku": "CUP", "counted": "3", "seen": "MUG", "expected": "10", "do": "save"}

    response = client.post(PAGE, data=data | {"csrf_token": csrf_token(client), "reason": "x"})

    assert rows(response)[0] == "Our cup On hand 7; difference -4"
    assert stocks(session) == {"CUP": 7}


def test_bad_rows_stay_with_their_error_and_good_ones_are_kept(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    for sku in ("GOOD", "MOVED", "SHORT", "WORD"):
        stocked(session, sku)
    move_stock(session, session.scalars(sa.select(Product).where(Product.sku == "MOVED")).one(), 1)
    short = session.scalars(sa.select(Product).where(Product.sku == "SHORT")).one()
    make_order(session, (short, 4, Decimal(1)), status=OrderStatus.PAID)
    sign_in(Role.MANAGER)

    response = send(
        client,
        ("GOOD", "9", "10"),
        ("MOVED", "8", "10"),
        ("SHORT", "3", "14"),
        ("WORD", "ten", "10"),
        ("NONE", "1", ""),
        ("GOOD", "9", "10"),
        ("", "7", ""),
        do="save",
    )

    moved = "Meanwhile 11 are on hand; 10 were when you looked. Count again."
    too_few = "Open orders wait for 4, and 3 were counted. Cancel units of those orders first."
    assert response.status_code == 422
    assert rows(response)[:6] == [
        f"Our moved On hand 11 {moved} You had entered 8.",
        f"Our short On hand 14, 4 for open orders {too_few} You had entered 3.",
        "Our word On hand 10 Enter a whole number from 0 to 1,000,000.",
        "There is no product with this SKU.",
        "Our good On hand 10 This SKU is above already.",
        "Enter the SKU.",
    ]
    assert "1 count is kept, 1 of them with a difference." in words(response)
    assert stocks(session) == {"GOOD": 9, "MOVED": 11, "SHORT": 10, "WORD": 10}
    assert count(session, ChangeSet) == 1


def test_counts_without_a_reason_are_not_kept(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    stocked(session, "MUG")
    sign_in(Role.MANAGER)

    response = send(client, ("MUG", "8", "10"), do="save", reason=" ")

    assert response.status_code == 422
    assert "Say why." in words(response)
    assert rows(response)[0] == "Our mug On hand 10; difference -2"
    assert stocks(session) == {"MUG": 10}


def test_a_product_can_be_brought_along(
    session: Session, client: FlaskClient, sign_in: SignIn
) -> None:
    product = stocked(session, "MUG")
    sign_in(Role.MANAGER)

    record = client.get(f"/admin/products/details/?id={product.id}").text
    assert 'href="/admin/stock_take/?sku=MUG"' in record
    assert rows(client.get(f"{PAGE}?sku=MUG"))[0] == "Our mug On hand 10"
    # What no keyboard sends, an address may hold.
    assert rows(client.get(f"{PAGE}?sku=MUG%00"))[0] == "Our mug On hand 10"


def test_a_form_of_any_length_takes_few_statements(
    session: Session, client: FlaskClient, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    skus = [stocked(session, f"P{number}").sku for number in range(40)]
    sign_in(Role.MANAGER)
    caplog.set_level("INFO", "backoffice.request")
    counts = []

    for many in (skus[:1], skus):
        send(client, *((sku, "9", "") for sku in many))
        counts.append(caplog.records[-1].facts["statements"])  # type: ignore[attr-defined]

    assert counts[0] == counts[1] <= 3
