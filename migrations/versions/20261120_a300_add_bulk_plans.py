"""Add bulk plans

Sealed plans with their rows, and changes that name their record where a change set is about many.

Revision ID: a300
Revises: c41d
Create Date: 2026-11-20 16:15:00+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a300"
down_revision = "c41d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_plans",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "change_set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "undo_change_set_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_bulk_plans_actor_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["change_set_id"],
            ["change_sets.id"],
            name=op.f("fk_bulk_plans_change_set_id_change_sets"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["undo_change_set_id"],
            ["change_sets.id"],
            name=op.f("fk_bulk_plans_undo_change_set_id_change_sets"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_plans")),
    )
    with op.batch_alter_table("bulk_plans", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bulk_plans_created_at_id"), ["created_at", "id"], unique=False
        )

    op.create_table(
        "bulk_plan_rows",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("record_label", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column(
            "before_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("after_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "planned",
                "unchanged",
                "blocked",
                "done",
                "moved on",
                "reverted",
                "kept",
                "stuck",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["bulk_plans.id"],
            name=op.f("fk_bulk_plan_rows_plan_id_bulk_plans"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_plan_rows")),
        sa.UniqueConstraint(
            "plan_id", "record_id", name=op.f("uq_bulk_plan_rows_plan_id_record_id")
        ),
    )
    with op.batch_alter_table("bulk_plan_rows", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bulk_plan_rows_plan_id_outcome_id"),
            ["plan_id", "outcome", "id"],
            unique=False,
        )

    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
            )
        )
        # safe: require-concurrent-index-creation – the column is new: one read, no entries
        batch_op.create_index(
            "ix_changes_record_of_many",
            ["record_id", "change_set_id"],
            unique=False,
            sqlite_where=sa.text("record_id IS NOT NULL"),
            postgresql_where=sa.text("record_id IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_changes_record_of_many",
            sqlite_where=sa.text("record_id IS NOT NULL"),
            postgresql_where=sa.text("record_id IS NOT NULL"),
        )
        batch_op.drop_column("record_id")

    with op.batch_alter_table("bulk_plan_rows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bulk_plan_rows_plan_id_outcome_id"))

    op.drop_table("bulk_plan_rows")
    with op.batch_alter_table("bulk_plans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bulk_plans_created_at_id"))

    op.drop_table("bulk_plans")
