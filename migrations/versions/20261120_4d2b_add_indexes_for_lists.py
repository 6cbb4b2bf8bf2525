"""Add indexes for lists

Every order of a list, and every filter that leaves few rows, gets an index to start from. Text is
found by its parts through trigrams where PostgreSQL has pg_trgm and this role may create it; without
it the same search reads the table.

Revision ID: 4d2b
Revises: 6389
Create Date: 2026-11-20 15:52:00+00:00
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "4d2b"
down_revision = "6389"
branch_labels = None
depends_on = None

INDEXES: tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...] = (
    ("ix_change_sets_action_created_at_id", "change_sets", ("action", "created_at", "id"), {}),
    (
        "ix_change_sets_actor_name_created_at_id",
        "change_sets",
        ("actor_name", "created_at", "id"),
        {},
    ),
    ("ix_orders_country_id", "orders", ("country", "id"), {}),
    (
        "ix_orders_revenue",
        "orders",
        ("paid_on", "id"),
        {"postgresql_include": ["currency", "subtotal_amount", "discount_amount"]},
    ),
    ("ix_orders_status_id", "orders", ("status", "id"), {}),
    ("ix_products_price_id", "products", ("price", "id"), {}),
    ("ix_profiles_full_name_id", "profiles", ("full_name", "id"), {}),
    ("ix_users_created_at_id", "users", ("created_at", "id"), {}),
    ("ix_users_last_login_at_id", "users", ("last_login_at", "id"), {}),
)
SEARCHED = {
    "change_sets": ("actor_name", "action", "record_label"),
    "orders": ("number", "email", "country"),
    "products": ("sku", "name"),
    "profiles": ("full_name", "country"),
    "users": ("username", "email"),
}
MAY_HAVE_TRIGRAMS = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')
    OR EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
    AND has_database_privilege(current_database(), 'CREATE')
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        for name, table, columns, options in INDEXES:
            op.create_index(name, table, list(columns), **options)
        op.drop_index("ix_orders_paid_on_id", "orders")
        return
    # Concurrently, so that the shop goes on selling; again after a failure, since each is skipped
    # when it is there.
    with op.get_context().autocommit_block():
        for name, table, columns, options in INDEXES:
            op.create_index(
                name,
                table,
                list(columns),
                postgresql_concurrently=True,
                if_not_exists=True,
                **options,
            )
        op.drop_index(
            "ix_orders_paid_on_id", "orders", postgresql_concurrently=True, if_exists=True
        )
        if context.is_offline_mode() or op.get_bind().scalar(sa.text(MAY_HAVE_TRIGRAMS)):
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for table, columns in SEARCHED.items():
                op.create_index(
                    f"ix_{table}_trgm",
                    table,
                    list(columns),
                    postgresql_using="gin",
                    postgresql_ops=dict.fromkeys(columns, "gin_trgm_ops"),
                    postgresql_concurrently=True,
                    if_not_exists=True,
                )


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        op.create_index("ix_orders_paid_on_id", "orders", ["paid_on", "id"])
        for name, table, _columns, _options in INDEXES:
            op.drop_index(name, table)
        return
    # The extension stays: others may use it by now.
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_orders_paid_on_id",
            "orders",
            ["paid_on", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        for name, table, _columns, _options in INDEXES:
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        for table in SEARCHED:
            op.drop_index(f"ix_{table}_trgm", table, postgresql_concurrently=True, if_exists=True)
