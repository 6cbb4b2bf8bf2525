"""Number orders by a sequence on PostgreSQL

A locked row lets one order be placed at a time, from its number to its commit. SQLite keeps the
row: its only write lock is held anyway.

Revision ID: 9f21
Revises: e5b1
Create Date: 2026-11-20 16:57:00+00:00
"""

from __future__ import annotations

from alembic import op

revision = "9f21"
down_revision = "e5b1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE SEQUENCE order_numbers START WITH 1000001")
    op.execute(
        "SELECT setval('order_numbers', last_number) FROM number_series WHERE name = 'orders'"
    )
    # safe: rows-in-one-go – it is one row
    op.execute("DELETE FROM number_series WHERE name = 'orders'")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "INSERT INTO number_series (name, last_number) "
        "SELECT 'orders', last_value FROM order_numbers WHERE is_called"
    )
    op.execute("DROP SEQUENCE order_numbers")
