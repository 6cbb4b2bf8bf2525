"""When the console can be read only, or is closed: another schema, or maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from backoffice.access import Permission
from backoffice.db import db, write_refusal
from backoffice.errors import ClosedError
from backoffice.models import MaintenanceMode
from backoffice.system.maintenance import Notice
from backoffice.system.schema.watch import DIFFERS, SchemaWatch

# Probes write nothing, and who cannot sign in cannot see what is wrong.
_FREE = {"login", "probes", "monitoring", "bootstrap"}
_TITLES = {
    MaintenanceMode.READ_ONLY: "Read-only.",
    MaintenanceMode.CLOSED: "Closed for maintenance.",
}


@dataclass(frozen=True, slots=True)
class Banner:
    """What every page says while the schema and the code differ, or during maintenance."""

    title: str
    sentence: str
    url: str | None = None
    link: str = ""


def init_app(app: Flask) -> None:
    """Watch schema and maintenance; needs the database to be attached."""
    with app.app_context():
        # `.engine`: a test may have put a connection in its place.
        app.extensions["schema_watch"] = SchemaWatch(db.engine.engine)
    app.before_request(_refuse)
    app.teardown_request(_forget)
    app.jinja_env.globals["schema_banner"] = schema_banner


def _refuse() -> None:
    """Refuse this request's writes, or all of it; requests that run already are not touched."""
    write_refusal.set(None)
    if request.endpoint in (None, "static") or request.blueprint in _FREE:
        return
    if _watch().trouble() is not None:
        write_refusal.set(DIFFERS)
        return
    notice = _watch().maintenance()
    if notice is None:
        return
    if notice.mode is MaintenanceMode.CLOSED:
        _close(notice)
    elif request.blueprint != "maintenance":
        write_refusal.set(_sentence(notice))


def _close(notice: Notice) -> None:
    """Raise ClosedError for whoever may not manage maintenance; strangers are led to sign in."""
    if current_user.is_authenticated and not _may(Permission.MAINTENANCE_MANAGE):
        raise ClosedError(_sentence(notice), notice.seconds_left)


def _forget(_error: BaseException | None) -> None:
    write_refusal.set(None)


def schema_banner() -> Banner | None:
    """Return what to say on this page; operators are told what to do, the others that it passes."""
    status = _watch().trouble()
    if status is None:
        notice = _watch().maintenance()
        return None if notice is None else _maintenance_banner(notice)
    if _may(Permission.MIGRATION_READ):
        sentence = f"{status.sentence} Until then nothing can be saved here."
        return Banner("Read-only.", sentence, url_for("migrations.index"), "See the migrations")
    return Banner("Read-only.", DIFFERS)


def _maintenance_banner(notice: Notice) -> Banner:
    title, sentence = _TITLES[notice.mode], _sentence(notice)
    if _may(Permission.MAINTENANCE_MANAGE):
        return Banner(title, sentence, url_for("maintenance.index"), "Change or end it")
    return Banner(title, sentence)


def _sentence(notice: Notice) -> str:
    """Return the message with its end, in the shop's zone."""
    if notice.ends_at is None:
        return notice.message
    end = notice.ends_at.astimezone(ZoneInfo(current_app.config["SHOP_TIMEZONE"]))
    return f"{notice.message} Planned until {end:%Y-%m-%d %H:%M %Z}."


def _may(permission: Permission) -> bool:
    return bool(current_user.is_authenticated and current_user.actor.can(permission))


def _watch() -> SchemaWatch:
    watch: SchemaWatch = current_app.extensions["schema_watch"]
    return watch
