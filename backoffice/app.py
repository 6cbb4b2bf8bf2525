"""The application factory: the only module that knows every part."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from sqlalchemy.engine import make_url

from backoffice import admin, cli, models, web  # noqa: F401  models: maps the tables
from backoffice.db import db, init_engines
from backoffice.reports.catalog import catalog
from backoffice.system.migrations import MIGRATIONS_DIR
from backoffice.web.logs import configure_logging
from config import BaseConfig, load_config


def create_app(config: BaseConfig | None = None) -> Flask:
    """Return the application; raises ConfigurationError when it must not run like this."""
    config = config or load_config()
    app = Flask(__name__)
    app.config.from_mapping(config.flask_settings())
    if not config.TESTING:
        configure_logging(config.LOG_LEVEL, config.LOG_FORMAT)
    _init_database(app, config)
    web.init_app(app)
    admin.init_app(app)
    cli.init_app(app)
    catalog()  # a report file that is wrong stops the start, not the first reader
    return app


def _init_database(app: Flask, config: BaseConfig) -> None:
    url = make_url(config.SQLALCHEMY_DATABASE_URI)
    is_file = url.database and not url.database.startswith("file:")
    if url.get_backend_name() == "sqlite" and is_file and config.APP_ENV == "development":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        init_engines(config.SLOW_QUERY_MS / 1000)
    Migrate(
        app,
        db,
        directory=str(MIGRATIONS_DIR),
        compare_type=True,
        render_as_batch=True,
        transaction_per_migration=True,
    )
