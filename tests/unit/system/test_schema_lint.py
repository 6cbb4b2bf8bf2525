"""What is dangerous in a migration is found, and stays only with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.script import Script

from backoffice.system.migrations import MIGRATIONS_DIR, load_scripts
from backoffice.system.schema.lint import lint, squawk
from backoffice.system.schema.preview import preview

Write = Callable[..., Script]
STEP = """
import sqlalchemy as sa
from alembic import op
{imports}

revision = "aaaa"
down_revision = "{head}"


def upgrade():
    {body}


def downgrade():
    {back}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a migration and returns it."""

    def make(body: str, *, back: str = 'op.drop_table("none")', imports: str = "") -> Script:
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS_DIR, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = STEP.format(
            head=load_scripts().get_heads()[0], body=body, back=back, imports=imports
        )
        (folder / "versions" / "20990101_aaaa.py").write_text(text, "utf-8")
        return load_scripts(folder).get_revision("aaaa")

    return make


def rules(script: Script) -> set[str]:
    return {one.rule for one in lint(script) if not one.waiver}


def test_the_linter_of_sql_is_installed_for_developers() -> None:
    assert squawk() is not None


@pytest.mark.parametrize("revision", [one.revision for one in load_scripts().walk_revisions()])
def test_every_migration_is_safe_or_says_why(revision: str) -> None:
    found = [one for one in lint(load_scripts().get_revision(revision)) if not one.waiver]

    assert found == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('op.create_index("i", "orders", ["email"])', "require-concurrent-index-creation"),
        ('op.drop_column("orders", "email")', "ban-drop-column"),
        ('op.alter_column("orders", "number", type_=sa.Text())', "changing-column-type"),
        ('op.create_check_constraint("c", "orders", "id > 0")', "constraint-missing-not-valid"),
        ('op.rename_table("orders", "sales")', "renaming-table"),
        ('op.execute("UPDATE orders SET email = lower(email)")', "rows-in-one-go"),
        ('op.execute("CLUSTER orders")', "unknown-statement"),
        (
            (
                'op.add_column("orders", sa.Column("a", sa.Text()))\n'
                '    op.add_column("users", sa.Column("a", sa.Text()))'
            ),
            "several-tables-locked",
        ),
        (
            (
                "with op.get_context().autocommit_block():\n"
                '        op.create_index("i", "orders", ["email"], postgresql_concurrently=True,'
                " if_not_exists=True)\n"
                '    op.add_column("orders", sa.Column("a", sa.Text()))'
            ),
            "concurrently-not-alone",
        ),
        ('op.get_bind().execute(sa.text("SELECT 1")).scalar()', "not-previewable"),
    ],
)
def test_each_danger_is_found(write: Write, body: str, rule: str) -> None:
    assert rule in rules(write(body))


def test_an_index_built_aside_in_a_migration_of_its_own_is_fine(write: Write) -> None:
    body = (
        "with op.get_context().autocommit_block():\n"
        '        op.create_index("i", "orders", ["email"], postgresql_concurrently=True,'
        " if_not_exists=True)"
    )

    assert rules(write(body)) == set()


def test_a_migration_without_a_way_back_is_found(write: Write) -> None:
    body = 'op.add_column("orders", sa.Column("a", sa.Text()))'

    assert rules(write(body, back="pass")) == {"no-way-back"}


def test_a_migration_that_uses_the_application_is_found_and_never_run(write: Write) -> None:
    script = write('raise AssertionError("run")', imports="from backoffice.models import Order")

    assert rules(script) == {"not-alone"}
    assert (
        preview(script, "postgresql").refusal == "Not shown: the migration uses backoffice.models."
    )


def test_a_waiver_needs_a_reason_and_a_danger(write: Write) -> None:
    drop = 'op.drop_column("orders", "email")  # safe: ban-drop-column'
    waived = lint(write(f"{drop} – unread since the last release"))

    assert [(one.rule, one.waiver) for one in waived] == [
        ("ban-drop-column", "unread since the last release")
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            'op.drop_column("orders", "email")  # safe: ban-drop-column',
            "The waiver of ban-drop-column gives no reason.",
        ),
        (
            'op.add_column("orders", sa.Column("a", sa.Text()))  # safe: ban-drop-column – so',
            "Nothing needs the waiver of ban-drop-column any more.",
        ),
    ],
)
def test_an_empty_or_idle_waiver_is_found(write: Write, body: str, sentence: str) -> None:
    assert sentence in [one.sentence for one in lint(write(body)) if not one.waiver]


def test_the_preview_names_constraints_as_the_migration_will(write: Write) -> None:
    script = write(
        'op.create_table("new", sa.Column("kind", sa.Enum("a", "b", name="kind",'
        " native_enum=False, create_constraint=True)))"
    )

    assert "CONSTRAINT ck_new_kind CHECK (kind IN ('a', 'b'))" in preview(script, "postgresql").sql


def test_a_table_that_sqlite_must_copy_is_said_to_be_copied(write: Write) -> None:
    script = write(
        'with op.batch_alter_table("orders") as batch:\n'
        '        batch.alter_column("email", nullable=True)'
    )

    assert preview(script, "postgresql").statements == (
        "ALTER TABLE orders ALTER COLUMN email DROP NOT NULL;",
    )
    assert preview(script, "sqlite").refusal.startswith("Not shown: SQLite changes this table")
