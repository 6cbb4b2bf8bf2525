"""`flask create-user`, `flask set-password` and `flask dev-login`."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click
from flask import current_app

from backoffice.access import Role
from backoffice.cli.base import command, shell_actor
from backoffice.db import db
from backoffice.errors import InputError, NotFoundError, RuleViolationError
from backoffice.services import users

STAFF_ROLES = tuple(role.value for role in Role if role.is_staff)
DEVELOPER = "admin"


@command("create-user")
@click.argument("username")
@click.option("--email", required=True, help="The address of the person.")
@click.option("--role", type=click.Choice(STAFF_ROLES), required=True, help="What they may do.")
def create_user(username: str, email: str, role: str) -> None:
    """Make an account for a member of staff.

    The password is asked for twice; in a script it is read as one line from standard input.
    """
    user = users.create_user(
        shell_actor(), username=username, email=email, role=Role(role), password=_ask_password()
    )
    click.echo(f"Created {user.username} with the role {user.role.value}.")


@command("set-password")
@click.argument("username")
def set_password(username: str) -> None:
    """Give an account a new password and end all its sessions.

    The password is asked for twice; in a script it is read as one line from standard input.
    """
    user = users.find_user(db.session(), username)
    users.set_password(shell_actor(), user.id, password=_ask_password())
    click.echo(f"The password of {user.username} is set; all sessions have ended.")


@command("dev-login")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the password is kept; by default in var.",
)
def dev_login(path: Path | None) -> None:
    """Make sure that a developer can sign in, and say how (development only)."""
    environment = current_app.config["APP_ENV"]
    if environment != "development":
        raise RuleViolationError(
            f"dev-login is for APP_ENV=development only, and this is {environment}. "
            "Use: flask create-user"
        )
    password = development_account(path or kept_password())
    click.echo(f"Sign in as {DEVELOPER} with password {password}")


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InputError("No password came in on standard input.")
    return password


def kept_password() -> Path:
    """Return the file that keeps the developer's password: beside the embedded database."""
    url = db.engine.url
    embedded = url.get_backend_name() == "sqlite" and url.database
    folder = Path(embedded).parent if embedded else Path(current_app.root_path).parent / "var"
    return folder / "dev-login"


def development_account(path: Path) -> str:
    """Return the password that the developer's account has; make the account if it is missing."""
    password = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if not _exists(DEVELOPER):
        password = password or _keep_new_password(path)
        users.create_user(
            shell_actor(),
            username=DEVELOPER,
            email=f"{DEVELOPER}@example.com",
            role=Role.ADMIN,
            password=password,
        )
    elif users.authenticate(db.session(), DEVELOPER, password) is None:
        raise RuleViolationError(
            f"The account {DEVELOPER} exists, but cannot sign in with what {path} holds. "
            f"Write its password there, or set a new one: flask set-password {DEVELOPER}"
        )
    return password


def _exists(username: str) -> bool:
    try:
        users.find_user(db.session(), username)
    except NotFoundError:
        return False
    return True


def _keep_new_password(path: Path) -> str:
    """Write a new password where only its owner can read it."""
    password = secrets.token_urlsafe(18)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password
