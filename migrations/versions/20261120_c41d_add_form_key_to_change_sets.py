"""Add form_key to change_sets

Revision ID: c41d
Revises: 4d2b
Create Date: 2026-11-20 16:06:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c41d"
down_revision = "4d2b"
branch_labels = None
depends_on = None

KNOWN = sa.text("form_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("change_sets", sa.Column("form_key", sa.String(length=64), nullable=True))
    # safe: require-concurrent-index-creation – the column is new: one read of the table, no entries
    op.create_index(
        "uq_change_sets_form_key",
        "change_sets",
        ["form_key"],
        unique=True,
        sqlite_where=KNOWN,
        postgresql_where=KNOWN,
    )


def downgrade() -> None:
    op.drop_index("uq_change_sets_form_key", "change_sets")
    op.execute("ALTER TABLE change_sets DROP COLUMN form_key")
