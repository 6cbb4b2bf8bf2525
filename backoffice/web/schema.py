"""A console whose schema is not the one of its code can be read, and saves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from backoffice.access import Permission
from backoffice.db import db, write_refusal
from backoffice.system.schema.watch import DIFFERS, SchemaWatch

# Probes write nothing, and who cannot sign in cannot see what is wrong.
_FREE = {"login", "probes"}


@dataclass(frozen=True, slots=True)
class Banner:
    """What every page says while the schema and the code differ."""

    sentence: str
    url: str | None


def init_app(app: Flask) -> None:
    """Watch the schema; needs the database to be attached."""
    with app.app_context():
        # `.engine`: a test may have put a connection in its place.
        app.extensions["schema_watch"] = SchemaWatch(db.engine.engine)
    app.before_request(_refuse_writes)
    app.teardown_request(_forget)
    app.jinja_env.globals["schema_banner"] = schema_banner


def _refuse_writes() -> None:
    is_free = request.endpoint in (None, "static") or request.blueprint in _FREE
    write_refusal.set(None if is_free or _watch().trouble() is None else DIFFERS)


def _forget(_error: BaseException | None) -> None:
    write_refusal.set(None)


def schema_banner() -> Banner | None:
    """Return what to say on this page; operators are told what to do, the others that it passes."""
    status = _watch().trouble()
    if status is None:
        return None
    if current_user.is_authenticated and current_user.actor.can(Permission.MIGRATION_READ):
        sentence = f"{status.sentence} Until then nothing can be saved here."
        return Banner(sentence, url_for("migrations.index"))
    return Banner(DIFFERS, None)


def _watch() -> SchemaWatch:
    watch: SchemaWatch = current_app.extensions["schema_watch"]
    return watch
