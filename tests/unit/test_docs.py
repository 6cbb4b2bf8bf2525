"""What the documentation promises to list, it lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backoffice.access import GRANTS, Permission, Role
from config import BaseConfig

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(BaseConfig.model_fields))
def test_every_setting_is_in_the_table_of_settings(name: str) -> None:
    rows = [
        line
        for line in (DOCS / "deploy.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]

    assert any(f"`{name}`" in row for row in rows)


def test_the_table_of_settings_names_nothing_that_does_not_exist() -> None:
    text = (DOCS / "deploy.md").read_text(encoding="utf-8")
    served = {"DATABASE_URL", "BIND", "WEB_CONCURRENCY", "WEB_THREADS"}
    named = {
        name
        for row in re.findall(r"^\| (`[A-Z].*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }

    assert named <= set(BaseConfig.model_fields) | served


def test_the_table_of_permissions_is_what_the_code_grants() -> None:
    text = (DOCS / "access.md").read_text(encoding="utf-8")
    header, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    roles = [Role(cell.strip()) for cell in header.strip("|").split("|")[2:]]
    documented = {
        (roles[column], cells[0].strip(" `"))
        for cells in (row.strip("|").split("|") for row in rows)
        for column, cell in enumerate(cells[2:])
        if cell.strip() == "yes"
    }

    assert set(roles) == set(Role)
    assert [row.split("|")[1].strip(" `") for row in rows] == [one.value for one in Permission]
    assert documented == {(role, one.value) for role in Role for one in GRANTS[role]}
