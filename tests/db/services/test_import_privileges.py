"""What a role of the database may do changes how quickly it imports, never what it imports."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor
from backoffice.db import db
from backoffice.formats.mappings import load_mapping
from backoffice.models import OrderItem
from backoffice.services import import_writing
from backoffice.services.imports import ImportRules, import_orders
from tests.db.services.sales_files import many_lines, sales_file
from tests.factories import count

MAPPING = load_mapping(Path("seeds/mappings/online_retail.toml"))
RULES = ImportRules(MAPPING, ZoneInfo("Europe/London"), "GBP")


@pytest.mark.parametrize("granted", [False, True])
def test_a_role_with_few_privileges_imports_the_same(
    session: Session, shell: Actor, tmp_path: Path, granted: bool
) -> None:
    if db.engine.dialect.name == "postgresql":
        _become_ordinary(session, granted=granted)

    summary = import_orders(shell, sales_file(tmp_path, *many_lines(3)), RULES)

    assert (summary.accepted, count(session, OrderItem)) == (30, 30)
    if db.engine.dialect.name == "postgresql":
        assert session.scalar(sa.text("SELECT current_user")) == "bo_importer"
        assert session.scalar(sa.text(import_writing.MAY_SKIP_CHECKS)) is granted
    _holds_foreign_keys(session)


def test_the_checks_of_the_tables_stay_in_force(
    session: Session, shell: Actor, tmp_path: Path
) -> None:
    import_orders(shell, sales_file(tmp_path, *many_lines(3)), RULES)

    if db.engine.dialect.name == "postgresql":
        assert session.scalar(sa.text("SHOW session_replication_role")) == "origin"
    _holds_foreign_keys(session)


def _become_ordinary(session: Session, *, granted: bool) -> None:
    """Go on as a role that the rollback removes."""
    session.execute(sa.text("CREATE ROLE bo_importer"))
    session.execute(sa.text("GRANT ALL ON ALL TABLES IN SCHEMA public TO bo_importer"))
    session.execute(sa.text("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO bo_importer"))
    if granted:
        session.execute(sa.text("GRANT SET ON PARAMETER session_replication_role TO bo_importer"))
    session.execute(sa.text("SET LOCAL ROLE bo_importer"))
    session.commit()


def _holds_foreign_keys(session: Session) -> None:
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(sa.text("UPDATE order_items SET product_id = -1"))
