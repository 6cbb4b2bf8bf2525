"""`flask create-user`, `flask set-password` and `flask dev-login`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import ChangeSet, User
from backoffice.services import users
from tests.factories import PASSWORD, count, make_user

ADA = ["create-user", "ada", "--email", "ada@example.com", "--role", "support"]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(users, "HASH_METHOD", "scrypt:1024:8:1")
    users._stand_in_hash.cache_clear()
    yield
    users._stand_in_hash.cache_clear()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command believe that a person types."""
    monkeypatch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda _self: True)


@pytest.fixture
def development(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "APP_ENV", "development")


def test_a_script_pipes_the_password(committed: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=ADA, input=PASSWORD + "\n")

    assert result.exit_code == 0, result.output
    assert result.output == "Created ada with the role support.\n"
    assert users.authenticate(committed, "ada", PASSWORD) is not None


@pytest.mark.usefixtures("terminal")
def test_a_person_types_the_password_twice_unseen(
    committed: Session, runner: FlaskCliRunner
) -> None:
    result = runner.invoke(args=ADA, input=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0, result.output
    assert "Repeat" in result.output
    assert PASSWORD not in result.output
    assert users.authenticate(committed, "ada", PASSWORD) is not None


@pytest.mark.usefixtures("terminal")
def test_a_slip_while_typing_makes_no_account(committed: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=ADA, input=f"{PASSWORD}\nsomething else\n")

    assert result.exit_code != 0
    assert count(committed, User) == 0


@pytest.mark.parametrize(
    ("args", "typed", "message"),
    [
        (ADA, "short\n", "Error: A password has 12"),
        (ADA, "", "Error: No password came in"),
        ([*ADA[:3], "nonsense", *ADA[4:]], PASSWORD, "Error: This is not an e-mail"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_no_trace(
    committed: Session, runner: FlaskCliRunner, args: list[str], typed: str, message: str
) -> None:
    result = runner.invoke(args=args, input=typed)

    assert result.exit_code == 1
    assert result.output.startswith(message)
    assert count(committed, User) == count(committed, ChangeSet) == 0


@pytest.mark.parametrize("args", [ADA[:2], ADA[:4], [*ADA[:5], "customer"], [*ADA[:5], "king"]])
def test_missing_or_unknown_options_are_usage_errors(
    committed: Session, runner: FlaskCliRunner, args: list[str]
) -> None:
    result = runner.invoke(args=args, input=PASSWORD)

    assert result.exit_code == 2
    assert count(committed, User) == 0


def test_set_password_replaces_the_password(committed: Session, runner: FlaskCliRunner) -> None:
    make_user(committed, Role.MANAGER, username="ada")

    result = runner.invoke(args=["set-password", "Ada"], input="a wholly different phrase\n")

    assert result.exit_code == 0, result.output
    assert "all sessions have ended" in result.output
    assert users.authenticate(committed, "ada", "a wholly different phrase") is not None


def test_set_password_of_nobody_is_refused(committed: Session, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["set-password", "nobody"], input=PASSWORD)

    assert (result.exit_code, result.output) == (1, "Error: There is no user 'nobody'.\n")
    assert count(committed, ChangeSet) == 0


@pytest.mark.usefixtures("development")
def test_dev_login_makes_one_account_and_keeps_its_password(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "var" / "dev-login"

    first = runner.invoke(args=["dev-login", "--file", str(path)])
    second = runner.invoke(args=["dev-login", "--file", str(path)])

    password = path.read_text().strip()
    assert first.exit_code == 0, first.output
    assert f"Sign in as admin with password {password}\n" in first.output
    assert second.output == first.output
    assert path.stat().st_mode & 0o777 == 0o600
    user = users.authenticate(committed, "admin", password)
    assert user is not None
    assert user.role is Role.ADMIN


@pytest.mark.usefixtures("development")
def test_dev_login_gives_a_new_database_the_kept_password(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "dev-login"
    path.write_text(PASSWORD + "\n")

    result = runner.invoke(args=["dev-login", "--file", str(path)])

    assert result.exit_code == 0, result.output
    assert users.authenticate(committed, "admin", PASSWORD) is not None


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("kept", [None, "", "an older password of admin"])
def test_dev_login_resets_nothing_silently(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path, kept: str | None
) -> None:
    path = tmp_path / "dev-login"
    make_user(committed, Role.ADMIN, username="admin")
    if kept is not None:
        path.write_text(kept)

    result = runner.invoke(args=["dev-login", "--file", str(path)])

    assert result.exit_code == 1
    assert "flask set-password admin" in result.output
    assert users.authenticate(committed, "admin", PASSWORD) is not None
    assert path.exists() == (kept is not None)


def test_dev_login_is_for_development_only(
    committed: Session, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "dev-login"

    result = runner.invoke(args=["dev-login", "--file", str(path)])

    assert result.exit_code == 1
    assert "this is testing" in result.output
    assert count(committed, User) == 0
    assert not path.exists()
