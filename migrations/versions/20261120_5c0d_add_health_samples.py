"""Add health samples

Revision ID: 5c0d
Revises: 8e1f
Create Date: 2026-11-20 17:40:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5c0d"
down_revision = "8e1f"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "health_samples",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("instance", sa.String(64), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_samples")),
        sa.UniqueConstraint(
            "taken_at", "instance", name=op.f("uq_health_samples_taken_at_instance")
        ),
    )


def downgrade() -> None:
    op.drop_table("health_samples")
