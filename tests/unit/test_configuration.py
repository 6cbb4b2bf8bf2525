"""What the application refuses to start with, and that it says what to set, never a secret."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backoffice.app import create_app
from backoffice.errors import ConfigurationError
from config import BaseConfig, DevelopmentConfig, TestingConfig, load_config

ROOT = Path(__file__).resolve().parents[2]
KEY = "k3y-" * 9
PASSWORD = "hunter2-hunter2"
SOUND: dict[str, str] = {
    "SECRET_KEY": KEY,
    "DATABASE_URL": f"postgresql://shop:{PASSWORD}@db.example/backoffice",
    "REDIS_URL": f"redis://:{PASSWORD}@redis.example:6379/0",
    "TRUSTED_HOSTS": '["backoffice.example.com"]',
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*BaseConfig.model_fields, "DATABASE_URL"]:
        monkeypatch.delenv(name, raising=False)


def refusal(monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str | None]) -> str:
    """Return the message of a start with the sound settings, changed as given; None unsets."""
    settings = {**SOUND, **changes}
    for name, value in settings.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_config()
    message = str(caught.value)
    assert PASSWORD not in message
    assert not any(
        value and value in message
        for name, value in settings.items()
        if name.startswith("SECRET_KEY")
    )
    return message


def test_without_app_env_the_environment_is_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)

    config = load_config()

    assert config.APP_ENV == "production"
    assert config.SQLALCHEMY_DATABASE_URI.startswith("postgresql+psycopg://")
    assert config.TRUSTED_HOSTS == ["backoffice.example.com"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY": None}, r"SECRET_KEY is missing\. Set it to 32 random characters"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "sh0rt-secret"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY_FALLBACKS": '["sh0rt-secret"]'}, "SECRET_KEY_FALLBACKS is too short"),
        ({"SECRET_KEY_FALLBACKS": f'["{KEY}"'}, "SECRET_KEY_FALLBACKS: This is not a JSON list"),
        ({"SECRET_KEY": "testing-only-key-testing-only-key"}, "everybody can read"),
        ({"DATABASE_URL": None}, "DATABASE_URL is missing. Set it, for example, to postgresql"),
        ({"DATABASE_URL": f"nonsense {PASSWORD}"}, "DATABASE_URL: This is not a database URL"),
        ({"DATABASE_URL": f"postgresql://u:{PASSWORD}@h:x/b"}, "not a database URL"),
        ({"DATABASE_URL": f"mysql://u:{PASSWORD}@h/backoffice"}, "mysql is not supported"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL is an in-memory SQLite database"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "in memory is for testing only"),
        ({"DATABASE_URL": "sqlite:///file:x?mode=memory&uri=true"}, "in-memory"),
        ({"DATABASE_URL": "sqlite:////srv/shop-test.sqlite"}, "names a test database"),
        ({"DATABASE_URL": f"postgresql://u:{PASSWORD}@h/backoffice_test"}, "a test database"),
        ({"DATABASE_URL": "postgresql://h/?dbname=test_backoffice"}, "a test database"),
        ({"REPORTS_DATABASE_URL": "postgresql://h/test"}, "REPORTS_DATABASE_URL names a test"),
        ({"DEBUG": "1"}, r"DEBUG must be off in production\. Unset it"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG must be off in production"),
        ({"DEBUG": "perhaps"}, "DEBUG: Input should be a valid boolean"),
        ({"TESTING": "1"}, "TESTING is for APP_ENV=testing only"),
        ({"SESSION_COOKIE_SECURE": "0"}, "SESSION_COOKIE_SECURE .* must stay on in production"),
        ({"SESSION_COOKIE_HTTPONLY": "0"}, "SESSION_COOKIE_HTTPONLY must stay on in production"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "SESSION_COOKIE_SAMESITE: .*'Lax' or 'Strict'"),
        ({"REDIS_URL": None}, "REDIS_URL is missing. Rate limits need storage"),
        ({"REDIS_URL": f"{PASSWORD}@redis"}, "REDIS_URL: Set it to a URL such as redis://"),
        ({"TRUSTED_HOSTS": None}, "TRUSTED_HOSTS is missing. Set it to the host names"),
        ({"TRUSTED_HOSTS": "[]"}, "TRUSTED_HOSTS is missing"),
        ({"TRUSTED_HOSTS": '["half'}, "TRUSTED_HOSTS: This is not a JSON list"),
        ({"SQLALCHEMY_ENABLE_CREATE_ALL": "1"}, "allowed in development only.*flask db upgrade"),
        ({"SHOP_TIMEZONE": "Mars/Olympus"}, "SHOP_TIMEZONE: Set it to a zone of the tz database"),
        ({"SHOP_TIMEZONE": "../../etc/passwd"}, "SHOP_TIMEZONE: Set it to a zone"),
        ({"SHOP_CURRENCY": "pounds"}, "SHOP_CURRENCY: "),
        ({"LOGIN_RATE_LIMIT": "sometimes"}, "LOGIN_RATE_LIMIT: Set it to a limit such as"),
        ({"DB_POOL_SIZE": "many"}, "DB_POOL_SIZE: Input should be a valid integer"),
        ({"DB_POOL_SIZE": "0"}, "DB_POOL_SIZE: Input should be greater than or equal to 1"),
        ({"BACKUP_FOLDER": "var/backups"}, "BACKUP_FOLDER: Set it to an absolute path"),
        ({"BACKUP_AGE_IDENTITY_FILE": "age.key"}, "BACKUP_AGE_IDENTITY_FILE: Set it to an absol"),
        ({"BACKUP_AGE_RECIPIENTS": "age1short"}, "BACKUP_AGE_RECIPIENTS: Set it to public keys"),
        ({"BACKUP_AGE_RECIPIENTS": f"AGE-SECRET-KEY-1{PASSWORD}"}, "Set it to public keys"),
        ({"BACKUP_AGE_RECIPIENTS": "--output=/etc/passwd"}, "Set it to public keys"),
        ({"BACKUP_GPG_RECIPIENTS": "ada@example.com"}, "Set it to whole fingerprints"),
        ({"BACKUP_GPG_RECIPIENTS": "DEADBEEF"}, "Set it to whole fingerprints"),
        (
            {"BACKUP_GPG_RECIPIENTS": "A1" * 20, "BACKUP_AGE_RECIPIENTS": "age1" + "q" * 58},
            r"BACKUP_AGE_RECIPIENTS and BACKUP_GPG_RECIPIENTS are both set\. Unset one of them",
        ),
        ({"BACKUP_SCRATCH_URL": f"sqlite:///{PASSWORD}"}, "BACKUP_SCRATCH_URL: Set it to a URL"),
        ({"BACKUP_SCRATCH_URL": f"nonsense {PASSWORD}"}, "BACKUP_SCRATCH_URL: This is not a data"),
        ({"BACKUP_MAX_AGE_HOURS": "0"}, "BACKUP_MAX_AGE_HOURS: Input should be greater"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL: Input should be"),
        ({"APP_ENV": "producton"}, "APP_ENV is 'producton'. Set it to one of: development"),
    ],
)
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_production_and_staging_refuse(
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    changes: Mapping[str, str | None],
    expected: str,
) -> None:
    message = refusal(monkeypatch, {"APP_ENV": environment, **changes})

    assert re.search(expected, message), message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DATABASE_URL": "sqlite://"}, "in-memory"),
        ({"DATABASE_URL": "postgresql://h/backoffice_test"}, "a test database"),
        ({"SECRET_KEY": "sh0rt-secret"}, "SECRET_KEY is too short"),
        ({"TESTING": "1"}, "TESTING is for APP_ENV=testing only"),
    ],
)
def test_development_refuses_too(
    monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str | None], expected: str
) -> None:
    assert expected in refusal(monkeypatch, {"APP_ENV": "development", **changes})


def test_tests_may_not_create_tables_either(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"APP_ENV": "testing", "SQLALCHEMY_ENABLE_CREATE_ALL": "1"}

    assert "in development only" in refusal(monkeypatch, changes)


@pytest.mark.parametrize("name", ["contest", "latest", "shop_testimonials", "attested"])
def test_names_that_only_contain_the_word_are_no_test_databases(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("APP_ENV", "development")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://h/{name}")

    assert load_config().SQLALCHEMY_DATABASE_URI.endswith(name)


def test_a_key_of_digits_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "development")
    monkeypatch.setenv("SECRET_KEY", "1234567890" * 4)

    assert load_config().flask_settings()["SECRET_KEY"] == "1234567890" * 4


def test_lists_may_be_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "development")
    monkeypatch.setenv("TRUSTED_HOSTS", "a.example, .b.example")

    assert load_config().TRUSTED_HOSTS == ["a.example", ".b.example"]


def test_the_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SOUND | {"SECRET_KEY_FALLBACKS": f'["{KEY}old"]'}).items():
        monkeypatch.setenv(name, value)

    config = load_config()

    for text in (repr(config), str(config), f"{config}"):
        assert KEY not in text
        assert PASSWORD not in text


def test_the_cookies_of_production_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)

    settings = load_config().flask_settings()

    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["SESSION_COOKIE_HTTPONLY"]
    assert settings["SESSION_COOKIE_SAMESITE"] == "Lax"


def test_development_needs_nothing() -> None:
    config = DevelopmentConfig()

    assert config.SQLALCHEMY_DATABASE_URI.startswith("sqlite:///")
    assert not config.SQLALCHEMY_ENABLE_CREATE_ALL


def test_a_session_outlives_the_rotation_of_its_key() -> None:
    before = create_app(TestingConfig(SECRET_KEY=KEY)).test_client()
    with before.session_transaction() as session:
        session["signed_in"] = "ada"
    cookie = before.get_cookie("backoffice_session")
    assert cookie is not None
    after = create_app(
        TestingConfig(SECRET_KEY="another-" * 5, SECRET_KEY_FALLBACKS=[KEY])
    ).test_client()
    after.set_cookie("backoffice_session", cookie.value)

    with after.session_transaction() as session:
        assert session["signed_in"] == "ada"


# Real starts: what a person sees in the terminal or in the container's log.


def start(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1"} | environment
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=clean, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_importing_the_application_is_one_message_and_a_failure() -> None:
    done = start("-c", "import wsgi", **(SOUND | {"SECRET_KEY": "sh0rt-secret"}))

    assert done.returncode == 1
    assert done.stderr.startswith("Backoffice cannot start.\nSECRET_KEY is too short.")
    assert "Traceback" not in done.stderr
    assert "sh0rt-secret" not in done.stderr


def test_the_flask_command_is_one_message_and_a_failure() -> None:
    done = start("-m", "flask", "--app", "wsgi:app", "routes", **(SOUND | {"DEBUG": "1"}))

    assert done.returncode == 1
    assert "DEBUG must be off in production" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_debug_switch_of_the_flask_command_is_refused_in_production() -> None:
    done = start("-m", "flask", "--app", "wsgi:app", "--debug", "routes", **SOUND)

    assert done.returncode == 1
    assert "FLASK_DEBUG must be off in production" in done.stderr


def test_gunicorn_ends_at_once_instead_of_restarting_its_workers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = SOUND | {"DATABASE_URL": ""}

    done = start("-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "wsgi:app", **settings)

    assert done.returncode == 1
    assert done.stderr.count("DATABASE_URL is missing") == 1
    assert "Traceback" not in done.stderr
    assert "Booting worker" not in done.stderr


def test_a_silent_redis_holds_nobody_up_for_long() -> None:
    patience = {"socket_connect_timeout": 1, "socket_timeout": 1}
    shared = TestingConfig(SQLALCHEMY_DATABASE_URI="sqlite:///x", REDIS_URL="redis://r.example")

    assert shared.flask_settings()["RATELIMIT_STORAGE_OPTIONS"] == patience
    alone = TestingConfig(SQLALCHEMY_DATABASE_URI="sqlite:///x").flask_settings()
    assert alone["RATELIMIT_STORAGE_OPTIONS"] == {}


def test_a_sqlite_uri_makes_no_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///file:{tmp_path}/there/shop.sqlite?uri=true"

    create_app(DevelopmentConfig(SECRET_KEY=KEY, SQLALCHEMY_DATABASE_URI=url))

    assert list(tmp_path.iterdir()) == []
