"""Signing in and out: only staff, with limits, and with sessions that end."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import (
    LoginManager,
    UserMixin,
    current_user,
    login_required,
    login_user,
    logout_user,
)
from flask_wtf import FlaskForm
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from backoffice.access import Actor, Role, staff_actor
from backoffice.db import db
from backoffice.errors import UnavailableError
from backoffice.models import LoginSession, Preference, User
from backoffice.services import login_sessions, users
from backoffice.web.limits import limiter

log = logging.getLogger("backoffice.login")
login_manager = LoginManager()
blueprint = Blueprint("login", __name__)
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")
_CLAIM = re.compile(r"[0-9]{1,18}:[0-9]{1,9}")


@dataclass(frozen=True)
class SignedInUser(UserMixin):
    """What a request knows of the person who sent it."""

    id: int
    username: str
    role: Role
    session_version: int
    session_id: int

    @property
    def actor(self) -> Actor:
        """Who acts when this person does something."""
        return staff_actor(self.id, self.username, self.role)

    def get_id(self) -> str:
        """Return the session's claim; it dies when the user's session_version moves on."""
        return f"{self.id}:{self.session_version}"


class LoginForm(FlaskForm):
    """Name and password; `next` is where the person wanted to go."""

    username = StringField("User name", [InputRequired("Enter your user name."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=1024)])
    next = HiddenField()


def init_app(app: Flask) -> None:
    """Close the app to strangers."""
    # Flask-Login would compare addresses taken from X-Forwarded-For, which anybody can send.
    login_manager.session_protection = None
    login_manager.login_view = "login.login"
    login_manager.login_message = None
    login_manager.init_app(app)
    app.register_blueprint(blueprint)
    app.before_request(_end_old_session)


def local_path(target: str | None) -> str | None:
    """Return the target when it is a path on this site, else None."""
    return target if target and _LOCAL_PATH.fullmatch(target) else None


# Their preferences come along: nearly every page wants them, and this is the one statement that
# every page sends, hence made only once.
_SIGNED_IN = (
    sa.select(User.id, User.username, User.role, User.session_version, LoginSession.id)
    .add_columns(LoginSession.last_seen_at, Preference.key, Preference.value)
    .join(LoginSession, LoginSession.user_id == User.id)
    .outerjoin(Preference, Preference.user_id == User.id)
    .where(User.id == sa.bindparam("user_id"), User.session_version == sa.bindparam("version"))
    .where(User.is_active, LoginSession.ended_at.is_(None))
    .where(LoginSession.token_hash == sa.bindparam("token"))
)


@login_manager.user_loader
def load_user(claim: str) -> SignedInUser | None:
    """Return the member of staff behind a session, None when it was ended meanwhile."""
    token = session.get("login_token")
    if not (_CLAIM.fullmatch(claim) and isinstance(token, str)):
        return None
    user_id, version = claim.split(":")
    known = {
        "user_id": int(user_id),
        "version": int(version),
        "token": login_sessions.token_hash(token),
    }
    rows = db.session.execute(_SIGNED_IN, known).all()
    if not rows or not rows[0].role.is_staff:
        return None
    *facts, last_seen_at, _key, _value = rows[0]
    user = SignedInUser(*facts)
    g.preferences = {row.key: row.value for row in rows if row.key is not None}
    if login_sessions.is_due(last_seen_at):
        _note_use(user.session_id)
    g.user_id = user.id
    return user


def _note_use(session_id: int) -> None:
    """Note the use; a database that is busy or read-only must not close the console for that."""
    try:
        login_sessions.note_use(session_id)
    except (DBAPIError, UnavailableError):
        log.warning("the use of a session was not noted", exc_info=True)


def _end_old_session() -> None:
    """End a session at its absolute age; its idle age is in the cookie's signature."""
    started = session.get("signed_in_at")
    limit = current_app.config["SESSION_ABSOLUTE_HOURS"] * 3600
    if started is not None and time.time() - started > limit:
        session.clear()
        flash("You were signed out because the session was old. Sign in again.", "info")


def _submitted_name() -> str:
    return request.form.get("username", "").strip().lower()[:254]


def _name_key() -> str:
    """Return what stands for the name in the limits: they log it, and it may be a password."""
    return hashlib.sha256(_submitted_name().encode("utf-8", "replace")).hexdigest()[:32]


def _refused(response: Any) -> bool:
    return bool(response.status_code == 422)


@blueprint.route("/login", methods=["GET", "POST"])
@limiter.limit(
    lambda: current_app.config["LOGIN_RATE_LIMIT"], methods=["POST"], deduct_when=_refused
)
@limiter.limit(
    lambda: current_app.config["LOGIN_RATE_LIMIT_PER_NAME"],
    key_func=_name_key,
    methods=["POST"],
    deduct_when=_refused,
)
def login() -> Response | str | tuple[str, int]:
    """Show the form; sign in a member of staff."""
    form = LoginForm(next=request.args.get("next", ""))
    target = local_path(form.next.data) or url_for("admin.index")
    if current_user.is_authenticated:
        return redirect(target)
    if not form.validate_on_submit():
        return render_template("login.html", form=form), 422 if request.method == "POST" else 200
    user = users.authenticate(db.session(), _submitted_name(), form.password.data or "")
    if user is None:
        return render_template("login.html", form=form, refused=True), 422
    start_session(user)
    return redirect(target)


def start_session(user: User) -> None:
    """Begin a session that shares nothing with the one before it, not even the CSRF token."""
    begun = login_sessions.begin_session(
        user, address=request.remote_addr, user_agent=request.headers.get("User-Agent")
    )
    session.clear()
    session.permanent = True
    session["signed_in_at"] = int(time.time())
    session["login_token"] = begun.token
    login_user(SignedInUser(user.id, user.username, user.role, user.session_version, begun.id))


@blueprint.post("/logout")
def logout() -> Response:
    """End this session."""
    if current_user.is_authenticated:
        login_sessions.end_session(
            current_user.actor, current_user.session_id, action="user.logout"
        )
    logout_user()
    session.clear()
    return redirect(url_for("login.login"))


@blueprint.post("/logout-everywhere")
@login_required
def logout_everywhere() -> Response:
    """End all sessions of the person, on every device."""
    users.sign_out_everywhere(current_user.actor, current_user.id)
    session.clear()
    flash("You are signed out everywhere.", "success")
    return redirect(url_for("login.login"))


@blueprint.get("/")
def home() -> Response:
    """Lead to the console."""
    return redirect(url_for("admin.index"))
