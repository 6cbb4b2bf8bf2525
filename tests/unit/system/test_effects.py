"""What a statement of a migration locks, and how much of the table it touches."""

from __future__ import annotations

import pytest

from backoffice.system.examination import Outcome
from backoffice.system.schema.effects import Effect, Lock, Work, effects, effects_of
from backoffice.system.schema.sizes import Size, judge

MEGABYTE = 1024 * 1024
ALL, WRITES = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE


@pytest.mark.parametrize(
    ("statement", "lock", "work"),
    [
        ("ALTER TABLE orders ADD COLUMN note TEXT", ALL, Work.INSTANT),
        ("ALTER TABLE orders ADD COLUMN note TEXT DEFAULT '' NOT NULL", ALL, Work.INSTANT),
        ("ALTER TABLE orders ADD COLUMN key UUID DEFAULT gen_random_uuid()", ALL, Work.REWRITES),
        ("ALTER TABLE orders ADD COLUMN n INT GENERATED ALWAYS AS (1) STORED", ALL, Work.REWRITES),
        ("ALTER TABLE orders ADD COLUMN n INT CHECK (n > 0)", ALL, Work.READS),
        ("ALTER TABLE orders ALTER COLUMN total TYPE BIGINT", ALL, Work.REWRITES),
        ("ALTER TABLE orders ALTER COLUMN total SET NOT NULL", ALL, Work.READS),
        ("ALTER TABLE orders ALTER COLUMN total DROP NOT NULL", ALL, Work.INSTANT),
        ("ALTER TABLE orders DROP COLUMN total", ALL, Work.INSTANT),
        ("ALTER TABLE orders RENAME COLUMN a TO b", ALL, Work.INSTANT),
        ("ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0)", ALL, Work.READS),
        ("ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0) NOT VALID", ALL, Work.INSTANT),
        ("ALTER TABLE orders ADD CONSTRAINT c UNIQUE (a)", ALL, Work.READS),
        ("ALTER TABLE orders ADD CONSTRAINT c UNIQUE USING INDEX i", ALL, Work.INSTANT),
        ("ALTER TABLE orders VALIDATE CONSTRAINT c", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS),
        ('ALTER TABLE public."orders" DROP CONSTRAINT c', ALL, Work.INSTANT),
        ("CREATE INDEX i ON orders (a)", Lock.SHARE, Work.READS),
        ("CREATE UNIQUE INDEX IF NOT EXISTS i\nON orders (a)", Lock.SHARE, Work.READS),
        ("CREATE INDEX CONCURRENTLY i ON orders (a)", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS),
        (
            "CREATE TRIGGER t BEFORE UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION f()",
            WRITES,
            Work.INSTANT,
        ),
        ("DROP TRIGGER t ON orders", ALL, Work.INSTANT),
        ("DROP TABLE IF EXISTS orders", ALL, Work.INSTANT),
        ("TRUNCATE orders", ALL, Work.INSTANT),
        ("UPDATE orders SET a = 'DROP TABLE x; y'", Lock.ROW_EXCLUSIVE, Work.ROWS),
        ("DELETE FROM orders", Lock.ROW_EXCLUSIVE, Work.ROWS),
        ("INSERT INTO orders (a) VALUES (1)", Lock.ROW_EXCLUSIVE, Work.INSTANT),
    ],
)
def test_each_statement_has_its_lock_and_its_work(statement: str, lock: Lock, work: Work) -> None:
    assert effects(statement + ";") == [Effect("orders", lock, work)]


def test_a_foreign_key_stops_writes_to_both_tables() -> None:
    text = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY(u) REFERENCES users (id)"

    assert effects(text) == [
        Effect("orders", WRITES, Work.READS),
        Effect("users", WRITES, Work.INSTANT),
    ]
    assert effects(text + " NOT VALID")[0].work is Work.INSTANT


def test_a_new_table_stops_writes_only_to_what_it_points_at() -> None:
    text = "CREATE TABLE preferences (id INT PRIMARY KEY, u INT REFERENCES users (id))"

    assert effects(text) == [Effect("users", WRITES, Work.INSTANT)]


def test_what_happens_to_a_table_that_the_migration_makes_hinders_nobody() -> None:
    statements = ["CREATE TABLE new (id INT)", "CREATE INDEX i ON new (id)", "UPDATE new SET id=1"]

    assert effects_of(statements) == ()


def test_the_worst_of_a_table_counts_and_comes_first() -> None:
    statements = [
        "UPDATE tags SET a = 1",
        "ALTER TABLE orders ADD COLUMN a INT",
        "ALTER TABLE orders ALTER COLUMN b TYPE BIGINT; CREATE INDEX i ON orders (a)",
    ]

    assert effects_of(statements) == (
        Effect("orders", ALL, Work.REWRITES),
        Effect("tags", Lock.ROW_EXCLUSIVE, Work.ROWS),
    )


@pytest.mark.parametrize("statement", ["CLUSTER orders", "DO $$ BEGIN DELETE FROM a; END $$"])
def test_what_is_not_known_is_said_to_be_unknown(statement: str) -> None:
    assert effects(statement) == [Effect("", Lock.UNKNOWN, Work.UNKNOWN)]


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN;",
        "COMMIT;",
        "SET x = 1",
        "-- a remark",
        "",
        "CREATE OR REPLACE FUNCTION f() AS $$;$$",
    ],
)
def test_what_touches_no_table_has_no_effect(statement: str) -> None:
    assert effects(statement) == []


@pytest.mark.parametrize(
    ("megabytes", "outcome", "words"),
    [
        (1, Outcome.PASS, "less than a second"),
        (100, Outcome.WARN, "about 5 seconds"),
        (21_000, Outcome.FAIL, "about 18 minutes"),
        (2_000_000, Outcome.FAIL, "about 28 hours"),
    ],
)
def test_the_same_lock_means_more_the_larger_the_table(
    megabytes: int, outcome: Outcome, words: str
) -> None:
    size = Size("orders", 80_000_000, megabytes * MEGABYTE)

    impact = judge(Effect("orders", ALL, Work.REWRITES), {"orders": size}, "postgresql")

    assert impact.outcome is outcome
    assert impact.lock == "ACCESS EXCLUSIVE"
    assert words in impact.sentence
    assert "Nobody can read or write orders" in impact.sentence
    assert "80,000,000 rows" in impact.sentence


def test_an_index_stands_for_its_table() -> None:
    size = Size("orders", 10, 8192)

    impact = judge(
        Effect("ix_orders_email", ALL, Work.INSTANT), {"ix_orders_email": size}, "postgresql"
    )

    assert impact.table == "orders"
    assert impact.sentence == (
        "Nobody can read or write orders for an instant. It has about 10 rows, 8.0 kB."
    )


def test_a_lock_that_hinders_nobody_is_harmless_on_any_table() -> None:
    size = Size("orders", None, 10**12)
    effect = Effect("orders", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS)

    impact = judge(effect, {"orders": size}, "postgresql")

    assert impact.outcome is Outcome.PASS
    assert impact.sentence == (
        "Reading and writing orders go on. Its rows were never counted; it takes 931 GB."
    )
