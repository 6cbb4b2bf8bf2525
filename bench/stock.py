"""Flask-Admin as its documentation begins, on the same tables: what the benches compare with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from scratch import PAGE

from backoffice.db import db
from backoffice.models import Order

COLUMNS = ("number", "placed_at", "user", "country", "status", "total_amount", "currency")


class Stock(ModelView):  # type: ignore[misc]
    """A ModelView with the columns and the search of our list of orders."""

    column_list = COLUMNS
    column_searchable_list = ("email",)
    column_sortable_list = ("placed_at", "total_amount")
    column_filters = ("status",)
    page_size = PAGE


def stock_app(config: Mapping[str, Any]) -> Flask:
    """Return an application with nothing but that view; nobody need sign in."""
    app = Flask("stock")
    app.config.update(config, SQLALCHEMY_RECORD_QUERIES=False)
    db.init_app(app)
    Admin(app, url="/stock").add_view(Stock(Order, db, url="/stock/order"))
    return app


def served() -> Flask:
    """Return it for gunicorn: settings come from the environment."""
    return stock_app(
        {
            "SQLALCHEMY_DATABASE_URI": os.environ["DATABASE_URL"],
            "SECRET_KEY": os.environ["SECRET_KEY"],
        }
    )
