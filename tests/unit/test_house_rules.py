"""The rules of the house that no library checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "backoffice"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def method_calls(path: Path, name: str) -> list[int]:
    return [
        call.lineno
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr == name
    ]


def test_only_the_database_module_commits() -> None:
    committers = {str(path.relative_to(ROOT)) for path in SOURCES if method_calls(path, "commit")}

    assert committers == {"backoffice/db.py"}


def test_only_the_lock_module_locks_rows() -> None:
    lockers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for call in calls(path)
        if any(keyword.arg == "with_for_update" for keyword in call.keywords)
        or (isinstance(call.func, ast.Attribute) and call.func.attr == "with_for_update")
    }

    assert lockers <= {"backoffice/services/locks.py"}


def test_no_module_grows_into_a_god() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for paths, limit in ((SOURCES, 300), (TESTS, 400))
        for path in paths
        if (lines := len(path.read_text().splitlines())) > limit
    }

    assert too_long == {}


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    names = {path.stem for path in SOURCES}

    assert names.isdisjoint({"utils", "util", "helpers", "common", "misc"})


def test_the_package_itself_imports_nothing() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_sql_is_never_built_from_strings() -> None:
    built = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        for call in calls(path)
        if isinstance(call.func, ast.Name | ast.Attribute)
        and (call.func.id if isinstance(call.func, ast.Name) else call.func.attr) == "text"
        and call.args
        and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]

    assert built == []


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A copy of the package in which a violation can be planted."""
    for name in ("backoffice", "config"):
        for path in (ROOT / name).rglob("*.py"):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [tool, "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": str(tool.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("models/tags.py", "import backoffice.services.audit\n"),
        ("services/audit.py", "import backoffice.reports\n"),
        ("services/audit.py", "import flask\n"),
        ("web/headers.py", "import config\n"),
    ],
)
def test_a_planted_import_turns_the_import_rule_red(planted: Path, module: str, line: str) -> None:
    path = planted / "backoffice" / module
    path.write_text(path.read_text() + line)

    assert lint_imports(planted).returncode == 1


def test_the_import_rule_holds(planted: Path) -> None:
    result = lint_imports(planted)

    assert result.returncode == 0, result.stdout
