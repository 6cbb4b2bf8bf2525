"""The kinds of pages that there are, with an address of each in the demo shop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from backoffice.access import command_actor
from backoffice.admin.products import ProductView
from backoffice.models import (
    Category,
    ChangeSet,
    Order,
    OrderStatus,
    Payment,
    Product,
    Profile,
    Refund,
)
from backoffice.services import audit
from backoffice.services.bulk_plans import Selection, apply_plan, seal_plan
from tests.browser.conftest import Shop
from tests.factories import make_product, make_refund

SIGNED_OUT = ("sign-in",)


def addresses(shop: Shop) -> dict[str, str]:
    """Return {kind of page: address}."""
    with shop.session() as session:
        order = session.scalars(sa.select(Order.id).order_by(Order.id)).first()
        product = session.scalars(sa.select(Product.id).order_by(Product.id)).first()
        user = session.scalars(sa.select(Profile.user_id).order_by(Profile.id)).first()
        category = session.scalars(
            sa.select(Category.parent_id).order_by(Category.id.desc())
        ).first()
        change_set, made = _change_set(session)
        paid = session.scalars(
            sa.select(Payment.order_id)
            .join(Order)
            .where(Order.status == OrderStatus.PAID)
            .order_by(Order.id)
        ).first()
        guest = session.scalars(
            sa.select(Order.id).where(Order.user_id.is_(None)).order_by(Order.id)
        ).first()
        waiting, done = _plans(session)
        refund = _refund(session)
    return {
        "sign-in": "/login",
        "home": "/admin/",
        "profile": "/admin/profile/",
        "palette": "/admin/palette/?q=order",
        "list": "/admin/orders/",
        "list with bulk actions": "/admin/products/",
        "bulk changes": "/admin/bulk_plans/",
        "plan": f"/admin/bulk_plans/details/?id={waiting}",
        "plan that is done": f"/admin/bulk_plans/details/?id={done}",
        "rows of plans": "/admin/bulk_plan_rows/",
        "list without matches": "/admin/products/?search=zzzzzz",
        "record": f"/admin/orders/details/?id={order}",
        "record that may be deleted": f"/admin/products/details/?id={product}",
        "record with its past": f"/admin/products/details/?id={made}",
        "order that may go on": f"/admin/orders/details/?id={paid}",
        "refund": f"/admin/orders/act/refund/?id={paid}&all=1",
        "refund that was made": f"/admin/refunds/details/?id={refund}",
        "cancellation": f"/admin/orders/act/cancel/?id={paid}",
        "shipment": f"/admin/orders/act/ship/?id={paid}",
        "customer": f"/admin/customers/details/?id={user}",
        "guest": f"/admin/customers/guest/?order={guest}",
        "delete": f"/admin/products/delete/?id={made}",
        "delete that is forbidden": f"/admin/products/delete/?id={product}",
        "form": f"/admin/products/edit/?id={product}",
        "form with a part": f"/admin/users/edit/?id={user}",
        "form with rows": f"/admin/categories/edit/?id={category}",
        "new": "/admin/products/new/",
        "stock": f"/admin/products/stock/?id={product}",
        "stock-take": "/admin/stock_take/?sku=NONE",
        "reports": "/admin/reports/",
        "report": "/admin/reports/revenue_by_month",
        "report with mistakes": "/admin/reports/revenue_by_month?from=yesterday",
        "report without rows": "/admin/reports/revenue_by_month?from=2001-01-01&to=2001-02-01",
        "data quality": "/admin/quality/",
        "check": "/admin/quality/stock-is-ledger",
        "health": "/admin/health/",
        "migrations": "/admin/migrations/",
        "backups": "/admin/backups/",
        "change log": "/admin/change_sets/",
        "change set": f"/admin/change_sets/details/?id={change_set}",
        "error": "/admin/no-such-page",
    }


def _change_set(session: Any) -> tuple[int, int]:
    """Edit a product; return the ids of the change set and of the product."""
    product = make_product(session)
    product.name = "Renamed"
    changes = audit.differences(session, product)
    change_set: ChangeSet = audit.record(
        session, command_actor("tester"), "product.update", product, changes=changes
    )
    session.commit()
    return change_set.id, product.id


def _refund(session: Any) -> int:
    """Give back a line of the first order that was paid, once; return the refund's id."""
    made = session.scalars(sa.select(Refund.id).order_by(Refund.id)).first()
    if made is not None:
        return int(made)
    payment = session.scalars(
        sa.select(Payment)
        .join(Order)
        .where(Order.status == OrderStatus.COMPLETED)
        .order_by(Order.id)
    ).first()
    line = payment.order.items[0]
    return make_refund(session, payment, (line, 1, line.unit_price)).id


def _plans(session: Any) -> tuple[int, int]:
    """Seal two plans that lower two prices, one too far, and carry one out; return their ids."""
    actor = command_actor("tester")
    (action,) = (one for one in ProductView.bulk_actions if one.name == "change_price")
    keys = [make_product(session, price=Decimal(price)).id for price in (3, 9)]
    chosen = Selection(sa.select(Product).where(Product.id.in_(keys)), Product.sku, "search=mug")
    rule = {"rule": "amount", "amount": "-5"}
    waiting, done = (seal_plan(actor, action, chosen, rule) for _ in range(2))
    apply_plan(actor, done, action, sa.select(Product), reason="spring sale")
    return waiting, done
