"""Add payments, refunds and the stock ledger

What was paid before becomes one captured payment of each order. The ledger begins with an opening
entry of each product and the sales of the orders that are still open, so that it adds up to the
stock, and a cancellation gives back what was taken.

Revision ID: 6389
Revises: 182b
Create Date: 2026-11-20 15:31:12.841076+00:00
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "6389"
down_revision = "182b"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("order_events", "price_changes", "stock_movements")
# Units of lines that may still be cancelled: the stock of before was without them.
OPENING = """
INSERT INTO stock_movements (product_id, kind, delta, balance_after, reason, actor_name, created_at)
SELECT p.id, 'opening', p.stock + coalesce(held.units, 0), p.stock + coalesce(held.units, 0),
       'The ledger begins', 'migration', :now
FROM products p
LEFT JOIN (SELECT i.product_id, sum(i.quantity - i.quantity_cancelled) AS units
           FROM order_items i JOIN orders o ON o.id = i.order_id
           WHERE o.status IN ('pending', 'paid', 'processing')
           GROUP BY i.product_id) AS held ON held.product_id = p.id
WHERE p.stock + coalesce(held.units, 0) > 0
ORDER BY p.id
"""
OPEN_SALES = """
INSERT INTO stock_movements (product_id, kind, delta, balance_after, order_item_id, actor_name,
                             created_at)
SELECT i.product_id, 'sale', -(i.quantity - i.quantity_cancelled),
       p.stock + coalesce(sum(i.quantity - i.quantity_cancelled) OVER (
           PARTITION BY i.product_id ORDER BY i.id
           ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0),
       i.id, 'migration', :now
FROM order_items i
JOIN orders o ON o.id = i.order_id
JOIN products p ON p.id = i.product_id
WHERE o.status IN ('pending', 'paid', 'processing') AND i.quantity > i.quantity_cancelled
ORDER BY i.id
"""
FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "number_series",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "last_number >= 0", name=op.f("ck_number_series_last_number_not_negative")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_series")),
    )
    op.create_table(
        "order_events",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "placed",
                "payment_captured",
                "status_changed",
                "note_added",
                "item_cancelled",
                "refund_requested",
                "refund_succeeded",
                "refund_failed",
                "restocked",
                "shipped",
                "tracking_updated",
                "address_changed",
                "email_sent",
                "import_touched",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "from_status",
            sa.Enum(
                "pending",
                "paid",
                "processing",
                "shipped",
                "completed",
                "cancelled",
                name="from_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_status",
            sa.Enum(
                "pending",
                "paid",
                "processing",
                "shipped",
                "completed",
                "cancelled",
                name="to_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind <> 'note_added' OR body IS NOT NULL", name=op.f("ck_order_events_note_has_body")
        ),
        sa.CheckConstraint(
            "kind <> 'status_changed' OR (from_status IS NOT NULL AND to_status IS NOT NULL)",
            name=op.f("ck_order_events_change_has_states"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_order_events_actor_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_events_order_id_orders"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
    )
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_events_order_id_id"), ["order_id", "id"], unique=False
        )

    op.create_table(
        "payments",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("provider_ref", sa.String(length=100), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "authorized",
                "captured",
                "failed",
                "voided",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("captured_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("refund_pending_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("refunded_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'captured') = (captured_amount > 0)",
            name=op.f("ck_payments_captured_has_amount"),
        ),
        sa.CheckConstraint(
            "(status = 'captured') = (captured_at IS NOT NULL)",
            name=op.f("ck_payments_captured_has_moment"),
        ),
        sa.CheckConstraint(
            "amount > 0 AND amount <> 'NaN'", name=op.f("ck_payments_amount_positive")
        ),
        sa.CheckConstraint(
            "captured_amount >= 0 AND captured_amount < amount + 0.005",
            name=op.f("ck_payments_captured_within_amount"),
        ),
        sa.CheckConstraint(
            "refund_pending_amount >= 0 AND refunded_amount >= 0 AND refund_pending_amount + refunded_amount < captured_amount + 0.005",
            name=op.f("ck_payments_refunds_within_captured"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_payments_order_id_orders"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "provider", "provider_ref", name=op.f("uq_payments_provider_provider_ref")
        ),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payments_open",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'authorized')"),
            postgresql_where=sa.text("status IN ('pending', 'authorized')"),
        )
        batch_op.create_index(batch_op.f("ix_payments_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "ix_payments_refunding",
            ["order_id"],
            unique=False,
            sqlite_where=sa.text("refund_pending_amount > 0"),
            postgresql_where=sa.text("refund_pending_amount > 0"),
        )

    op.create_table(
        "price_changes",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column("old_price", sa.Numeric(14, 4), nullable=True),
        sa.Column("new_price", sa.Numeric(14, 4), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "new_price >= 0 AND new_price <> 'NaN'",
            name=op.f("ck_price_changes_new_price_not_negative"),
        ),
        sa.CheckConstraint(
            "old_price >= 0 AND old_price <> 'NaN'",
            name=op.f("ck_price_changes_old_price_not_negative"),
        ),
        sa.CheckConstraint("old_price <> new_price", name=op.f("ck_price_changes_price_changes")),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_price_changes_actor_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_price_changes_product_id_products"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_changes")),
    )
    with op.batch_alter_table("price_changes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_price_changes_batch_id_product_id"),
            ["batch_id", "product_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_price_changes_product_id_id"), ["product_id", "id"], unique=False
        )

    op.create_table(
        "refunds",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "refund",
                "credit_note",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_id", BIG_ID, nullable=True),
        sa.Column("payment_id", BIG_ID, nullable=True),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("country", sa.String(length=80), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "succeeded",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("shipping_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=100), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processed_on", sa.Date(), nullable=True),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'refund') = (idempotency_key IS NOT NULL)",
            name=op.f("ck_refunds_refund_has_key"),
        ),
        sa.CheckConstraint(
            "(kind = 'refund') = (payment_id IS NOT NULL)",
            name=op.f("ck_refunds_refund_has_payment"),
        ),
        sa.CheckConstraint(
            "(status = 'pending') = (processed_at IS NULL)",
            name=op.f("ck_refunds_pending_until_processed"),
        ),
        sa.CheckConstraint(
            "amount > 0 AND amount <> 'NaN'", name=op.f("ck_refunds_amount_positive")
        ),
        sa.CheckConstraint(
            "kind <> 'credit_note' OR status = 'succeeded'",
            name=op.f("ck_refunds_credit_note_is_done"),
        ),
        sa.CheckConstraint(
            "kind <> 'refund' OR order_id IS NOT NULL", name=op.f("ck_refunds_refund_has_order")
        ),
        sa.CheckConstraint(
            "(processed_at IS NULL) = (processed_on IS NULL)",
            name=op.f("ck_refunds_processed_day_with_moment"),
        ),
        sa.CheckConstraint(
            "shipping_amount >= 0 AND tax_amount >= 0 AND shipping_amount + tax_amount < amount + 0.005",
            name=op.f("ck_refunds_parts_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_refunds_actor_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_refunds_order_id_orders"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name=op.f("fk_refunds_payment_id_payments"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_refunds_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refunds_idempotency_key")),
        sa.UniqueConstraint("number", name=op.f("uq_refunds_number")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(
            "ix_refunds_pending",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.create_index(
            "ix_refunds_succeeded",
            ["processed_on", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'succeeded'"),
            postgresql_where=sa.text("status = 'succeeded'"),
        )
        batch_op.create_index(batch_op.f("ix_refunds_user_id"), ["user_id"], unique=False)

    op.create_table(
        "refund_items",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("refund_id", BIG_ID, nullable=False),
        sa.Column("order_item_id", BIG_ID, nullable=True),
        sa.Column("product_id", BIG_ID, nullable=True),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("product_name", sa.String(length=200), nullable=True),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("category_path", sa.String(length=500), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("restock_quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "amount >= 0 AND amount <> 'NaN'", name=op.f("ck_refund_items_amount_not_negative")
        ),
        sa.CheckConstraint(
            "tax_amount >= 0 AND tax_amount <> 'NaN'", name=op.f("ck_refund_items_tax_not_negative")
        ),
        sa.CheckConstraint(
            "(product_id IS NULL) = (sku IS NULL) AND (sku IS NULL) = (product_name IS NULL)",
            name=op.f("ck_refund_items_product_has_snapshot"),
        ),
        sa.CheckConstraint(
            "order_item_id IS NULL OR product_id IS NULL",
            name=op.f("ck_refund_items_line_or_product"),
        ),
        sa.CheckConstraint(
            "quantity = 0 OR order_item_id IS NOT NULL OR product_id IS NOT NULL",
            name=op.f("ck_refund_items_quantity_is_of_something"),
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_refund_items_quantity_not_negative")),
        sa.CheckConstraint(
            "restock_quantity >= 0 AND restock_quantity <= quantity",
            name=op.f("ck_refund_items_restocked_within_quantity"),
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"],
            ["order_items.id"],
            name=op.f("fk_refund_items_order_item_id_order_items"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_refund_items_product_id_products"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"],
            ["refunds.id"],
            name=op.f("fk_refund_items_refund_id_refunds"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_items")),
        sa.UniqueConstraint(
            "refund_id", "order_item_id", name=op.f("uq_refund_items_refund_id_order_item_id")
        ),
    )
    with op.batch_alter_table("refund_items", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_refund_items_order_item_id"), ["order_item_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_refund_items_product_id"), ["product_id"], unique=False
        )
        batch_op.create_index(
            "uq_refund_items_unallocated",
            ["refund_id"],
            unique=True,
            sqlite_where=sa.text("order_item_id IS NULL AND product_id IS NULL"),
            postgresql_where=sa.text("order_item_id IS NULL AND product_id IS NULL"),
        )

    op.create_table(
        "stock_movements",
        sa.Column(
            "id",
            BIG_ID,
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "opening",
                "receive",
                "sale",
                "cancel",
                "restock",
                "write_off",
                "adjust",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("balance_after", sa.Integer(), nullable=False),
        sa.Column("order_item_id", BIG_ID, nullable=True),
        sa.Column("refund_item_id", BIG_ID, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'restock') = (refund_item_id IS NOT NULL)",
            name=op.f("ck_stock_movements_restock_has_refund"),
        ),
        sa.CheckConstraint(
            "(kind IN ('sale', 'cancel')) = (order_item_id IS NOT NULL)",
            name=op.f("ck_stock_movements_sale_has_line"),
        ),
        sa.CheckConstraint(
            "kind = 'adjust' OR (kind IN ('sale', 'write_off')) = (delta < 0)",
            name=op.f("ck_stock_movements_sign_fits_kind"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('adjust', 'write_off') OR reason IS NOT NULL",
            name=op.f("ck_stock_movements_correction_has_reason"),
        ),
        sa.CheckConstraint(
            "balance_after >= 0", name=op.f("ck_stock_movements_balance_not_negative")
        ),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_stock_movements_delta_not_zero")),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_stock_movements_actor_id_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"],
            ["order_items.id"],
            name=op.f("fk_stock_movements_order_item_id_order_items"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_stock_movements_product_id_products"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["refund_item_id"],
            ["refund_items.id"],
            name=op.f("fk_stock_movements_refund_item_id_refund_items"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    with op.batch_alter_table("stock_movements", schema=None) as batch_op:
        batch_op.create_index(
            "ix_stock_movements_order_item_id",
            ["order_item_id"],
            unique=False,
            sqlite_where=sa.text("order_item_id IS NOT NULL"),
            postgresql_where=sa.text("order_item_id IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_stock_movements_product_id_id"), ["product_id", "id"], unique=False
        )
        batch_op.create_index(
            "uq_stock_movements_restock",
            ["refund_item_id"],
            unique=True,
            sqlite_where=sa.text("refund_item_id IS NOT NULL"),
            postgresql_where=sa.text("refund_item_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_stock_movements_sale",
            ["order_item_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'sale'"),
            postgresql_where=sa.text("kind = 'sale'"),
        )

    _record_what_was_paid()
    _open_the_ledger()
    for table in APPEND_ONLY:
        _refuse_changes(table)
    # Last, because it locks the lines; in words, because a batch would copy the table on SQLite.
    op.execute(
        "ALTER TABLE order_items ADD COLUMN tax_rate NUMERIC(6, 4) "
        "CONSTRAINT ck_order_items_tax_rate_is_a_share CHECK (tax_rate >= 0 AND tax_rate < 10)"
    )


def _record_what_was_paid() -> None:
    op.execute(
        """
        INSERT INTO payments (order_id, provider, provider_ref, status, amount, captured_amount,
                              refund_pending_amount, refunded_amount, captured_at, created_at,
                              updated_at)
        SELECT id, 'external', number, 'captured', total_amount, total_amount, 0, 0, paid_at,
               paid_at, paid_at
        FROM orders WHERE paid_at IS NOT NULL AND total_amount > 0 ORDER BY id
        """
    )


def _open_the_ledger() -> None:
    now = sa.bindparam("now", datetime.now(UTC), type_=sa.DateTime(timezone=True))
    for statement in (OPENING, OPEN_SALES):
        op.execute(sa.text(statement).bindparams(now))


def _refuse_changes(table: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(FUNCTION)
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    op.execute("ALTER TABLE order_items DROP COLUMN tax_rate")
    for table in (
        "stock_movements",
        "refund_items",
        "refunds",
        "price_changes",
        "payments",
        "order_events",
        "number_series",
    ):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
