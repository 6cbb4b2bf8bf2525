"""What a migration would do, as SQL, without a database."""

from __future__ import annotations

import ast
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script
from alembic.util import CommandError

from backoffice.db import NAMING_CONVENTION

# A migration that uses nothing else cannot do anything but what it tells Alembic.
ALLOWED_IMPORTS = frozenset(
    {"__future__", "alembic", "collections", "datetime", "decimal", "enum", "sqlalchemy", "typing"}
)
# `alembic.op` is one for the whole process.
_running = threading.Lock()
_NO_SCRIPTS: Any = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The statements in their order, or one sentence that says why they cannot be shown."""

    statements: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def sql(self) -> str:
        """All of them, as one script."""
        return "\n\n".join(self.statements)


class _Statements(list[str]):
    """A stream that keeps what is written to it, piece by piece."""

    def write(self, text: str) -> None:
        if text.strip():
            self.append(text.strip())

    def flush(self) -> None:
        """Do nothing: it is kept."""


def foreign_imports(source: str) -> tuple[str, ...]:
    """Return the modules that a migration should not need, sorted."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return tuple(sorted(name for name in names if name.split(".")[0] not in ALLOWED_IMPORTS))


def preview(script: Script, dialect: str, direction: str = "upgrade") -> Preview:
    """Return what a revision would send to a database of that kind; runs none of it."""
    foreign = foreign_imports(Path(script.path).read_text(encoding="utf-8"))
    if foreign:
        return Preview(refusal=f"Not shown: the migration uses {', '.join(foreign)}.")
    statements: Any = _Statements()
    options: dict[str, Any] = {
        "output_buffer": statements,
        "literal_binds": True,
        "transactional_ddl": True,
        # Constraints get their names from it.
        "target_metadata": sa.MetaData(naming_convention=NAMING_CONVENTION),
    }
    environment = EnvironmentContext(Config(), _NO_SCRIPTS, as_sql=True)
    try:
        with _running, environment:
            environment.configure(dialect_name=dialect, **options)
            with Operations.context(environment.get_context()):
                getattr(script.module, direction)()
    except CommandError:
        return Preview(refusal="Not shown: SQLite changes this table by copying it.")
    except Exception as error:  # noqa: BLE001  a migration may do anything, and here is no database
        kind = type(error).__name__
        return Preview(refusal=f"Not shown: the migration reads the database first ({kind}).")
    return Preview(tuple(statements))
