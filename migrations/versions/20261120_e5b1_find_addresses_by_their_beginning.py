"""Find addresses by their beginning

Most addresses share their endings, which makes the trigrams of a whole address slow to find.

Revision ID: e5b1
Revises: b7e4
Create Date: 2026-11-20 16:50:00+00:00
"""

from __future__ import annotations

from alembic import op

revision = "e5b1"
down_revision = "b7e4"
branch_labels = None
depends_on = None

PREFIX = {"postgresql_ops": {"email": "text_pattern_ops"}}


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.create_index("ix_orders_email_prefix", "orders", ["email"])
        op.create_index("ix_users_email_prefix", "users", ["email"])
        op.drop_index("ix_orders_email", "orders")
        return
    with op.get_context().autocommit_block():
        for table in ("orders", "users"):
            op.create_index(
                f"ix_{table}_email_prefix",
                table,
                ["email"],
                postgresql_concurrently=True,
                if_not_exists=True,
                **PREFIX,
            )
        op.drop_index("ix_orders_email", "orders", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.create_index("ix_orders_email", "orders", ["email"])
        op.drop_index("ix_users_email_prefix", "users")
        op.drop_index("ix_orders_email_prefix", "orders")
        return
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_orders_email", "orders", ["email"], postgresql_concurrently=True, if_not_exists=True
        )
        for table in ("orders", "users"):
            op.drop_index(
                f"ix_{table}_email_prefix", table, postgresql_concurrently=True, if_exists=True
            )
