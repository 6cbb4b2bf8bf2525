"""Create the shop

Revision ID: 31e7
Revises:
Create Date: 2026-11-20 12:24:07.534185+00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "31e7"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", BIG_ID, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_categories_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["categories.id"],
            name=op.f("fk_categories_parent_id_categories"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_categories_parent_id_name")),
    )
    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.create_index(
            "uq_categories_name_of_root",
            ["name"],
            unique=True,
            sqlite_where=sa.text("parent_id IS NULL"),
            postgresql_where=sa.text("parent_id IS NULL"),
        )

    op.create_table(
        "tags",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "customer",
                "analyst",
                "support",
                "manager",
                "operator",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower_case")),
        sa.CheckConstraint("session_version >= 1", name=op.f("ck_users_session_version_positive")),
        sa.CheckConstraint("username = lower(username)", name=op.f("ck_users_username_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_role_id"), ["role", "id"], unique=False)

    op.create_table(
        "change_sets",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=150), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "form",
                "cell",
                "bulk",
                "import",
                "command",
                "api",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("table_name", sa.String(length=63), nullable=True),
        sa.Column("record_id", BIG_ID, nullable=True),
        sa.Column("record_label", sa.String(length=300), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
            name=op.f("fk_change_sets_actor_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_sets")),
    )
    with op.batch_alter_table("change_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_sets_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_change_sets_created_at_id"), ["created_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_change_sets_table_name_record_id_id"),
            ["table_name", "record_id", "id"],
            unique=False,
        )

    op.create_table(
        "orders",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("customer_name", sa.String(length=200), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("subtotal_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("discount_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("shipping_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("total_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "paid",
                "processing",
                "shipped",
                "completed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=500), nullable=True),
        sa.Column("idempotency_key", sa.String(length=100), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)",
            name=op.f("ck_orders_cancelled_has_moment"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('paid', 'processing', 'shipped', 'completed') OR paid_at IS NOT NULL",
            name=op.f("ck_orders_paid_states_have_payment"),
        ),
        sa.CheckConstraint(
            "total_amount >= 0 AND total_amount <> 'NaN'", name=op.f("ck_orders_total_not_negative")
        ),
        sa.CheckConstraint(
            "(paid_at IS NULL) = (paid_on IS NULL)", name=op.f("ck_orders_paid_day_with_moment")
        ),
        sa.CheckConstraint(
            "abs(total_amount - (subtotal_amount - discount_amount + shipping_amount + tax_amount)) < 0.005",
            name=op.f("ck_orders_total_is_sum_of_parts"),
        ),
        sa.CheckConstraint(
            "cancelled_at IS NULL OR cancel_reason IS NOT NULL",
            name=op.f("ck_orders_cancelled_has_reason"),
        ),
        sa.CheckConstraint(
            "completed_at IS NULL OR (paid_at IS NOT NULL AND completed_at >= paid_at)",
            name=op.f("ck_orders_completed_after_paid"),
        ),
        sa.CheckConstraint("discount_amount >= 0", name=op.f("ck_orders_discount_not_negative")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_orders_email_lower_case")),
        sa.CheckConstraint("paid_at >= placed_at", name=op.f("ck_orders_paid_after_placed")),
        sa.CheckConstraint(
            "shipped_at IS NULL OR (paid_at IS NOT NULL AND shipped_at >= paid_at)",
            name=op.f("ck_orders_shipped_after_paid"),
        ),
        sa.CheckConstraint("shipping_amount >= 0", name=op.f("ck_orders_shipping_not_negative")),
        sa.CheckConstraint("subtotal_amount >= 0", name=op.f("ck_orders_subtotal_not_negative")),
        sa.CheckConstraint("tax_amount >= 0", name=op.f("ck_orders_tax_not_negative")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_orders_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_orders_idempotency_key")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_email"), ["email"], unique=False)
        batch_op.create_index(
            "ix_orders_open",
            ["placed_at"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'paid', 'processing')"),
            postgresql_where=sa.text("status IN ('pending', 'paid', 'processing')"),
        )
        batch_op.create_index(batch_op.f("ix_orders_paid_on_id"), ["paid_on", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_orders_placed_at_id"), ["placed_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_orders_status_placed_at_id"), ["status", "placed_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_orders_total_amount_id"), ["total_amount", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_orders_user_id_placed_at"), ["user_id", "placed_at"], unique=False
        )

    op.create_table(
        "products",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("price", sa.Numeric(14, 4), nullable=False),
        sa.Column("unit_cost", sa.Numeric(14, 4), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("low_stock_threshold", sa.Integer(), nullable=False),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "price >= 0 AND price <> 'NaN'", name=op.f("ck_products_price_not_negative")
        ),
        sa.CheckConstraint(
            "unit_cost >= 0 AND unit_cost <> 'NaN'", name=op.f("ck_products_unit_cost_not_negative")
        ),
        sa.CheckConstraint(
            "low_stock_threshold >= 0", name=op.f("ck_products_low_stock_threshold_not_negative")
        ),
        sa.CheckConstraint("sku = upper(sku)", name=op.f("ck_products_sku_upper_case")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_products_stock_not_negative")),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_products_category_id_categories"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
    )
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_products_category_id"), ["category_id"], unique=False)
        batch_op.create_index(
            "ix_products_low_stock",
            ["stock"],
            unique=False,
            sqlite_where=sa.text("stock <= low_stock_threshold"),
            postgresql_where=sa.text("stock <= low_stock_threshold"),
        )
        batch_op.create_index(batch_op.f("ix_products_name_id"), ["name", "id"], unique=False)

    op.create_table(
        "profiles",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("phone_number", sa.String(length=40), nullable=True),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("avatar_url", sa.String(length=500), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_profiles_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("user_id", name=op.f("uq_profiles_user_id")),
    )
    op.create_table(
        "changes",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("change_set_id", BIG_ID, nullable=False),
        sa.Column("field", sa.String(length=63), nullable=False),
        sa.Column("old_value", sa.Text(), nullable=True),
        sa.Column("new_value", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["change_set_id"],
            ["change_sets.id"],
            name=op.f("fk_changes_change_set_id_change_sets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_changes_change_set_id"), ["change_set_id"], unique=False
        )

    op.create_table(
        "order_items",
        sa.Column("id", BIG_ID, sa.Identity(always=False), nullable=False),
        sa.Column("order_id", BIG_ID, nullable=False),
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("product_name", sa.String(length=200), nullable=False),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("category_path", sa.String(length=500), nullable=True),
        sa.Column("unit_cost", sa.Numeric(14, 4), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(14, 4), nullable=False),
        sa.Column("discount_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("tax_amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("line_total", sa.Numeric(14, 2), nullable=False),
        sa.Column("quantity_shipped", sa.Integer(), nullable=False),
        sa.Column("quantity_cancelled", sa.Integer(), nullable=False),
        sa.Column("quantity_refunded", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "unit_price >= 0 AND unit_price <> 'NaN'",
            name=op.f("ck_order_items_unit_price_not_negative"),
        ),
        sa.CheckConstraint(
            "abs(line_total - (quantity * unit_price - discount_amount)) < 0.0051",
            name=op.f("ck_order_items_line_total_is_its_parts"),
        ),
        sa.CheckConstraint(
            "discount_amount >= 0 AND discount_amount <= quantity * unit_price + 0.0051",
            name=op.f("ck_order_items_discount_within_line"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_items_quantity_positive")),
        sa.CheckConstraint(
            "quantity_refunded <= quantity", name=op.f("ck_order_items_refunded_within_quantity")
        ),
        sa.CheckConstraint(
            "quantity_shipped + quantity_cancelled <= quantity",
            name=op.f("ck_order_items_shipped_within_quantity"),
        ),
        sa.CheckConstraint(
            "quantity_shipped >= 0 AND quantity_cancelled >= 0 AND quantity_refunded >= 0",
            name=op.f("ck_order_items_quantities_not_negative"),
        ),
        sa.CheckConstraint("tax_amount >= 0", name=op.f("ck_order_items_tax_not_negative")),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_items_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_order_items_product_id_products"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_items")),
    )
    with op.batch_alter_table("order_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_items_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_order_items_product_id_order_id"),
            ["product_id", "order_id"],
            unique=False,
        )

    op.create_table(
        "product_tags",
        sa.Column("product_id", BIG_ID, nullable=False),
        sa.Column("tag_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_product_tags_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_product_tags_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "tag_id", name=op.f("pk_product_tags")),
    )
    with op.batch_alter_table("product_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_tags_tag_id"), ["tag_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("product_tags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_tags_tag_id"))

    op.drop_table("product_tags")
    with op.batch_alter_table("order_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_items_product_id_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_items_order_id"))

    op.drop_table("order_items")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_changes_change_set_id"))

    op.drop_table("changes")
    op.drop_table("profiles")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_products_name_id"))
        batch_op.drop_index(
            "ix_products_low_stock",
            sqlite_where=sa.text("stock <= low_stock_threshold"),
            postgresql_where=sa.text("stock <= low_stock_threshold"),
        )
        batch_op.drop_index(batch_op.f("ix_products_category_id"))

    op.drop_table("products")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_user_id_placed_at"))
        batch_op.drop_index(batch_op.f("ix_orders_total_amount_id"))
        batch_op.drop_index(batch_op.f("ix_orders_status_placed_at_id"))
        batch_op.drop_index(batch_op.f("ix_orders_placed_at_id"))
        batch_op.drop_index(batch_op.f("ix_orders_paid_on_id"))
        batch_op.drop_index(
            "ix_orders_open",
            sqlite_where=sa.text("status IN ('pending', 'paid', 'processing')"),
            postgresql_where=sa.text("status IN ('pending', 'paid', 'processing')"),
        )
        batch_op.drop_index(batch_op.f("ix_orders_email"))

    op.drop_table("orders")
    with op.batch_alter_table("change_sets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_sets_table_name_record_id_id"))
        batch_op.drop_index(batch_op.f("ix_change_sets_created_at_id"))
        batch_op.drop_index(batch_op.f("ix_change_sets_actor_id"))

    op.drop_table("change_sets")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_role_id"))

    op.drop_table("users")
    op.drop_table("tags")
    with op.batch_alter_table("categories", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_categories_name_of_root",
            sqlite_where=sa.text("parent_id IS NULL"),
            postgresql_where=sa.text("parent_id IS NULL"),
        )

    op.drop_table("categories")
