"""Row locks: the only FOR UPDATE in the project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.db import Base
from backoffice.errors import NotFoundError
from backoffice.models import Category, Product, Profile, User

Row = TypeVar("Row", bound=Base)

# Built once, since each order that is placed needs them.
_PRODUCTS = (
    sa.select(Product)
    .where(Product.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Product.id)
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_CUSTOMER = (
    sa.select(
        User.id, User.username, User.email, User.role, User.is_active,
        Profile.full_name, Profile.country,
    )
    .outerjoin(Profile, Profile.user_id == User.id)
    .where(User.id == sa.bindparam("id"))
    .with_for_update(read=True, key_share=True, of=User)
)  # fmt: skip


def lock_row(session: Session, model: type[Row], row_id: int) -> Row:
    """Return the row, locked until the transaction ends; raise NotFoundError without one.

    It is read afresh, since a lock alone returns what the session loaded earlier. Others may still
    insert rows that lead to it. SQLite has no row locks and needs none: transaction() holds its
    only write lock.
    """
    row = session.get(model, row_id, populate_existing=True, with_for_update={"key_share": True})
    if row is None:
        raise NotFoundError(f"There is no such {model.__name__.lower()}.")
    return row


def lock_rows(session: Session, model: Any, keys: sa.Select[Any]) -> None:
    """Lock the rows with these keys, in the order of their keys; loads none of them."""
    chosen = sa.select(model.id).where(model.id.in_(keys))
    session.execute(chosen.order_by(model.id).with_for_update()).all()


def lock_products(session: Session, product_ids: Iterable[int]) -> dict[int, Product]:
    """Return those of the products that exist by their ids, locked in the order of their ids.

    Whoever moves the stock of several products locks them here first, or deadlocks follow. Their
    keys stay unlocked: an import holds those of all that it sells until it ends.
    """
    rows = session.scalars(_PRODUCTS, {"ids": sorted(set(product_ids))})
    return {product.id: product for product in rows}


class Customer(NamedTuple):
    """What an order needs to know of the account that it is for."""

    id: int
    username: str
    email: str | None
    role: Role
    is_active: bool
    full_name: str | None
    country: str | None


def lock_customer(session: Session, user_id: int) -> Customer | None:
    """Return an account, kept from being deactivated or deleted until the transaction ends.

    Others may place orders for it meanwhile.
    """
    row = session.execute(_CUSTOMER, {"id": user_id}).one_or_none()
    return row and Customer(*row)


def lock_user_and_admins(session: Session, user_id: int) -> tuple[User, list[User]]:
    """Return an account and all active administrators, locked: two may be leaving at once.

    Raises NotFoundError without the account.
    """
    admins = sa.and_(User.role == Role.ADMIN, User.is_active)
    rows = session.scalars(
        sa.select(User)
        .where(sa.or_(User.id == user_id, admins))
        .order_by(User.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    user = next((row for row in rows if row.id == user_id), None)
    if user is None:
        raise NotFoundError("There is no such user.")
    return user, [row for row in rows if row.role is Role.ADMIN and row.is_active]


def lock_category_tree(session: Session) -> None:
    """Keep every category where it is until the transaction ends: two moves may make a cycle.

    Products may still be put into them meanwhile: their keys stay unlocked.
    """
    every = sa.select(Category.id).order_by(Category.id).with_for_update(key_share=True)
    session.execute(every).all()


def lock_key(session: Session, key: str) -> None:
    """Let only one transaction at a time hold this key; it is let go of with the transaction.

    SQLite needs nothing: transaction() holds its only write lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(key.encode()).digest()
        number = int.from_bytes(digest[:8], signed=True)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
