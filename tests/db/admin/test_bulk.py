"""Bulk actions in the console: choosing rows, the sealed plan, carrying it out, taking it back."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role, Source
from backoffice.admin.products import ProductView
from backoffice.admin.tags import TagView
from backoffice.models import BulkPlan, BulkPlanRow, Change, ChangeSet, Product, RowOutcome, User
from tests.db.admin.test_declarations import build
from tests.factories import count, make_product
from tests.pages import post, words

SignIn = Callable[[Role], User]


@pytest.fixture(autouse=True)
def manager(sign_in: SignIn, session: Session) -> User:
    return sign_in(Role.MANAGER)


def plan(client: FlaskClient, *rows: Product, action: str = "unpublish", **fields: Any) -> str:
    """Choose rows and an action; return the address of the plan."""
    sent: dict[str, Any] = {"action": action, "rowid": [row.id for row in rows], **fields}
    response = post(client, "/admin/products/bulk/", **sent)
    assert response.status_code == 303, words(response)
    return str(response.location)


def carry_out(client: FlaskClient, address: str, verb: str = "apply", **fields: Any) -> str:
    """Press the button of a plan; return what the next page says."""
    (key,) = re.findall(r"id=(\d+)", address)
    response = post(client, f"/admin/bulk_plans/{verb}/", id=key, **fields)
    assert response.status_code == 303
    return words(client.get(response.location))


def outcomes(session: Session) -> dict[str, str]:
    """Return {record: outcome} of all plan rows."""
    session.expire_all()
    rows = session.scalars(sa.select(BulkPlanRow).order_by(BulkPlanRow.id))
    return {row.record_label.split()[0]: row.outcome.value for row in rows}


def test_a_preview_changes_nothing_and_says_what_would_change(
    session: Session, client: FlaskClient
) -> None:
    one = make_product(session, sku="ONE", name="Mug")
    two = make_product(session, sku="TWO", is_available=False)

    address = plan(client, one, two)

    page = words(client.get(address))
    assert "Take off sale: 2 products" in page
    assert "Nothing has been changed yet." in page
    assert "will change 1" in page
    assert "as wanted already 1" in page
    assert "ONE Mug yes no" in page
    session.expire_all()
    assert (one.is_available, one.version, count(session, ChangeSet)) == (True, 1, 0)


def test_a_plan_does_what_it_said_and_logs_it_in_one_change_set(
    session: Session, client: FlaskClient, manager: User
) -> None:
    rows = [make_product(session, sku=f"P{n}") for n in range(3)]
    other = make_product(session)

    page = carry_out(client, plan(client, *rows), reason="out of season")

    assert "It is done." in page
    session.expire_all()
    assert [(row.is_available, row.version) for row in rows] == [(False, 2)] * 3
    assert (other.is_available, other.version) == (True, 1)
    made = session.scalars(sa.select(ChangeSet)).one()
    assert (made.action, made.source, made.actor_name) == (
        "product.unpublish", Source.BULK, manager.username
    )  # fmt: skip
    assert (made.reason, made.table_name, made.record_id) == ("out of season", "products", None)
    changes = session.scalars(sa.select(Change).order_by(Change.record_id)).all()
    told = [(one.record_id, one.field, one.old_value, one.new_value) for one in changes]
    assert told == [(row.id, "is_available", "True", "False") for row in rows]


def test_all_that_match_is_the_query_and_not_the_page(
    session: Session, client: FlaskClient
) -> None:
    for number in range(60):
        make_product(session, sku=f"MUG-{number}")
    make_product(session, sku="CUP-1")

    address = plan(client, all="1", query="search=MUG&sort=-id")
    carry_out(client, address)

    gone = sa.select(Product.sku).where(Product.is_available.is_(False))
    assert len(session.scalars(gone).all()) == 60
    assert "search=MUG" in client.get(address).text


def test_a_question_that_the_list_does_not_understand_plans_nothing(
    session: Session, client: FlaskClient
) -> None:
    make_product(session)
    sent: dict[str, Any] = {"action": "publish", "all": "1", "query": "colour=red"}

    response = post(client, "/admin/products/bulk/", **sent)

    assert "Nothing was planned." in words(client.get(response.location))
    assert count(session, BulkPlan) == 0


def test_nothing_ticked_plans_nothing(session: Session, client: FlaskClient) -> None:
    make_product(session)

    response = post(client, "/admin/products/bulk/", action="publish", rowid=["x", "-1", "9" * 30])

    assert "Nothing is chosen." in words(client.get(response.location))
    assert (count(session, BulkPlan), count(session, BulkPlanRow)) == (0, 0)


def test_what_somebody_changed_meanwhile_is_left_alone_and_named(
    session: Session, client: FlaskClient
) -> None:
    kept, gone, done = (make_product(session, sku=sku) for sku in ("KEPT", "GONE", "DONE"))
    address = plan(client, kept, gone, done)
    kept.name = "Renamed"
    session.delete(gone)
    session.commit()

    page = carry_out(client, address)

    assert "left alone, changed since 2" in page
    assert "KEPT" in page.partition("Left as they are")[2]
    assert outcomes(session) == {"KEPT": "moved on", "GONE": "moved on", "DONE": "done"}
    notes = session.scalars(sa.select(BulkPlanRow.note).order_by(BulkPlanRow.id)).all()
    assert notes == ["Somebody else has changed it since.", "It is no longer there.", None]
    assert (kept.is_available, done.is_available) == (True, False)
    assert [c.record_id for c in session.scalars(sa.select(Change))] == [done.id]


def test_a_plan_runs_once(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    address = plan(client, product)
    carry_out(client, address)

    assert "It runs only once." in carry_out(client, address)
    session.refresh(product)
    assert (product.version, count(session, ChangeSet)) == (2, 1)


def test_undo_puts_every_row_into_exactly_one_place(session: Session, client: FlaskClient) -> None:
    back, edited, gone = (make_product(session, sku=sku) for sku in ("BACK", "EDITED", "GONE"))
    address = plan(client, back, edited, gone)
    carry_out(client, address, reason="a mistake")
    session.expire_all()
    back.name = "Renamed meanwhile"
    edited.is_available = True
    session.delete(gone)
    session.commit()

    page = carry_out(client, address, "undo")

    assert "It was undone." in page
    assert outcomes(session) == {"BACK": "reverted", "EDITED": "kept", "GONE": "stuck"}
    assert (back.is_available, back.name) == (True, "Renamed meanwhile")
    undone = session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert undone is not None
    (key,) = re.findall(r"id=(\d+)", address)
    assert (undone.action, undone.reason) == ("product.undo", f"undo of plan {key}")
    assert [(c.record_id, c.old_value, c.new_value) for c in undone.changes] == [
        (back.id, "False", "True")
    ]
    assert "There is nothing to undo." in carry_out(client, address, "undo")


def test_a_record_tells_its_part_of_a_bulk_change(session: Session, client: FlaskClient) -> None:
    one, two = make_product(session), make_product(session)
    carry_out(client, plan(client, one, two), reason="out of season")

    page = client.get(f"/admin/products/details/?id={one.id}").text

    history = page.partition('id="history-title"')[2]
    assert "product.unpublish" in history
    assert "out of season" in history
    assert history.count("<ins>") == 1


def test_a_form_that_a_bulk_change_made_stale_says_who_did_it(
    session: Session, client: FlaskClient, manager: User
) -> None:
    product = make_product(session)
    form = client.get(f"/admin/products/edit/?id={product.id}").text
    (seen,) = re.findall(r'name="row_change" type="hidden" value="(\d*)"', form)
    carry_out(client, plan(client, product))

    sent: dict[str, Any] = {
        "sku": product.sku,
        "name": "Mine",
        "price": "10",
        "low_stock_threshold": "5",
    }
    response = post(
        client, f"/admin/products/edit/?id={product.id}",
        **sent, is_available="y", row_version="1", row_change=seen,
    )  # fmt: skip

    assert response.status_code == 409
    assert f"{manager.username}, " in words(response)
    assert "is available" in words(response)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT])
def test_acting_on_many_is_for_those_who_may_act_on_one(
    session: Session, client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    product = make_product(session)
    address = plan(client, product)
    sign_in(role)

    assert 'id="bulk"' not in client.get("/admin/products/").text
    sent: dict[str, Any] = {"action": "publish", "rowid": product.id}
    assert post(client, "/admin/products/bulk/", **sent).status_code == 403
    (key,) = re.findall(r"id=(\d+)", address)
    for verb in ("apply", "undo"):
        assert post(client, f"/admin/bulk_plans/{verb}/", id=key).status_code == 403
    assert (
        "<button"
        not in client.get(address)
        .text.partition('class="panel plan"')[2]
        .partition("</section>")[0]
    )
    session.refresh(product)
    assert (product.is_available, count(session, ChangeSet)) == (True, 0)


def test_an_action_that_is_not_declared_is_not_found(session: Session, client: FlaskClient) -> None:
    sent: dict[str, Any] = {"action": "explode", "rowid": make_product(session).id}

    assert post(client, "/admin/products/bulk/", **sent).status_code == 404
    assert post(client, "/admin/orders/bulk/", **sent).status_code == 404


def test_a_plan_that_is_a_day_old_is_made_anew(session: Session, client: FlaskClient) -> None:
    product = make_product(session)
    address = plan(client, product)
    session.execute(sa.update(BulkPlan).values(created_at=sa.text("'2026-01-01 00:00:00+00:00'")))
    session.commit()

    assert "more than a day old" in words(client.get(address))
    assert "Make a new one." in carry_out(client, address)
    session.refresh(product)
    assert product.is_available
    plan(client, product)
    assert count(session, BulkPlan) == 1
    assert count(session, BulkPlanRow) == 1


def test_a_large_plan_asks_for_its_number(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.admin.bulk.plans.TYPED_FROM", 2)
    rows = [make_product(session), make_product(session)]
    address = plan(client, *rows)
    assert "Type 2 to confirm" in words(client.get(address))

    assert "Nothing was changed." in carry_out(client, address, confirm="3")
    assert count(session, ChangeSet) == 0
    assert "It is done." in carry_out(client, address, confirm="2")


def test_a_reason_that_no_history_can_hold_is_refused(
    session: Session, client: FlaskClient
) -> None:
    product = make_product(session, price=Decimal(3))
    rule = {"asked": "1", "rule": "set", "amount": "5"}
    address = plan(client, product, action="change_price", **rule)

    page = carry_out(client, address, reason="x" * 501)

    assert "Say why in 500 characters at most. Nothing was changed." in page
    assert outcomes(session) == {product.sku: "planned"}
    assert (product.price, count(session, ChangeSet)) == (Decimal(3), 0)


def test_the_rows_of_a_plan_are_a_list(session: Session, client: FlaskClient) -> None:
    rows = [make_product(session, sku="A"), make_product(session, sku="B", is_available=False)]
    address = plan(client, *rows)
    (key,) = re.findall(r"id=(\d+)", address)

    page = words(client.get(f"/admin/bulk_plan_rows/?plan_id={key}&outcome=unchanged"))

    assert "B Product" in page
    assert "A Product" not in page


def test_every_row_counts_in_exactly_one_outcome(session: Session, client: FlaskClient) -> None:
    rows = [make_product(session, is_available=bool(n % 2)) for n in range(7)]
    plan(client, *rows)

    found = outcomes(session)

    assert len(found) == 7
    assert sorted(found.values()) == [RowOutcome.PLANNED.value] * 3 + ["unchanged"] * 4


def test_the_change_set_of_a_plan_shows_some_of_its_rows_and_leads_to_all(
    session: Session, client: FlaskClient
) -> None:
    for _ in range(105):
        make_product(session)
    carry_out(client, plan(client, all="1", query=""))
    made = session.scalars(sa.select(ChangeSet)).one()
    (key,) = session.scalars(sa.select(BulkPlan.id))

    response = client.get(f"/admin/change_sets/details/?id={made.id}")

    assert response.text.count("<td>True</td>") == 100
    assert f'href="/admin/bulk_plans/details/?id={key}"' in response.text
    assert "The first 100." in words(response)


def test_more_ticks_than_a_page_has_are_refused(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.admin.bulk.view._MOST_TICKED", 1)
    keys = [make_product(session).id, make_product(session).id]

    response = post(client, "/admin/products/bulk/", action="publish", rowid=keys)

    assert "At most 1 rows can be ticked." in words(client.get(response.location))
    assert count(session, BulkPlan) == 0


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"bulk_label": ()}, "must declare bulk_label"),
        ({"bulk_actions": ProductView.bulk_actions * 2}, "two have one name"),
        ({"bulk_actions": TagView.bulk_actions}, "delete is for another table"),
    ],
)
def test_actions_that_cannot_work_do_not_start(
    app: Flask, declared: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        build(app, ProductView, **declared)
