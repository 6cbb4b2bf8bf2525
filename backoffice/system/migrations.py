"""Where the database's schema stands against the code; reads only, never migrates."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from backoffice.errors import UnavailableError

MIGRATIONS_DIR = Path(__file__).resolve().parents[2] / "migrations"


def load_scripts() -> ScriptDirectory:
    """Return the revisions on disk."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    return ScriptDirectory.from_config(config)


def require_head(engine: Engine) -> None:
    """Raise UnavailableError, saying what to run, unless the schema is the one of this code."""
    scripts = load_scripts()
    try:
        with engine.connect() as connection:
            current = set(MigrationContext.configure(connection).get_current_heads())
    except DBAPIError as error:
        raise UnavailableError(
            "The database does not answer. Check DATABASE_URL and that the server runs."
        ) from error
    known = {script.revision for script in scripts.walk_revisions()}
    if current - known:
        raise UnavailableError(
            "The database schema is ahead of this code. Deploy the version that made it."
        )
    if current != set(scripts.get_heads()):
        raise UnavailableError("The database schema is behind this code. Run: flask db upgrade")
