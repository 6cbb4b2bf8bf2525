"""Add index of units that wait

What open orders wait for is counted on every product's page: of all the lines ever sold, only those
that are neither sent nor cancelled are in this index.

Revision ID: b7e4
Revises: a300
Create Date: 2026-11-20 16:42:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b7e4"
down_revision = "a300"
branch_labels = None
depends_on = None

NAME = "ix_order_items_waiting"
WAITING = sa.text("quantity > quantity_shipped + quantity_cancelled")


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.create_index(NAME, "order_items", ["product_id"], sqlite_where=WAITING)
        return
    # Concurrently, so that the shop goes on selling; again after a failure.
    with op.get_context().autocommit_block():
        op.create_index(
            NAME,
            "order_items",
            ["product_id"],
            postgresql_where=WAITING,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.drop_index(NAME, "order_items")
        return
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "order_items", postgresql_concurrently=True, if_exists=True)
