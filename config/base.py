"""What every environment has in common."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from limits import parse_many
from pydantic import AliasChoices, BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url

from config.urls import parse_url, refuse_test_database

ROOT = Path(__file__).resolve().parent.parent
MINIMUM_SECRET_LENGTH = 32
# Seconds; without them a Redis that is silent holds up every sign-in.
_REDIS_PATIENCE = {"socket_connect_timeout": 1, "socket_timeout": 1}
_AGE_KEY = re.compile(r"age1[0-9a-z]{58}|ssh-(ed25519|rsa) [A-Za-z0-9+/=]+( [^\r\n]*)?")


def _read_list(value: object) -> object:
    """Return the items of a JSON list, or of names with commas between them."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        return json.loads(value)
    except ValueError:
        # The parser's own message would quote the value.
        raise ValueError('This is not a JSON list. Write it like ["one", "two"].') from None


# NoDecode: otherwise what is not JSON would end in an error that is not about the setting.
TextList = Annotated[list[str], NoDecode, BeforeValidator(_read_list)]


class BaseConfig(BaseSettings):
    """Settings by their environment names; the description of each is its documentation."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_ignore_empty=True)

    APP_ENV: str = "production"
    DEBUG: bool = False
    FLASK_DEBUG: bool = Field(False, description="Flask's own switch; as dangerous as DEBUG.")
    TESTING: bool = False
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    LOG_FORMAT: Literal["json", "text"] = "json"
    SLOW_QUERY_MS: int = Field(200, ge=1, description="A slower statement is logged as a warning.")

    METRICS_TOKEN: str = Field(
        "", repr=False, description="Lets a scraper read /metrics and /healthz.json."
    )

    SECRET_KEY: str = Field("", repr=False, description="Signs sessions; 32 characters or more.")
    SECRET_KEY_FALLBACKS: TextList = Field(
        [], repr=False, description="Former keys, as a JSON list, still accepted after rotation."
    )

    SQLALCHEMY_DATABASE_URI: str = Field(
        "",
        repr=False,
        validation_alias=AliasChoices("DATABASE_URL", "SQLALCHEMY_DATABASE_URI"),
        description="The database, as a SQLAlchemy URL.",
    )
    REPORTS_DATABASE_URL: str = Field(
        "", repr=False, description="A replica or a read-only role for reports; empty: the same."
    )
    DB_POOL_SIZE: int = Field(5, ge=1)
    DB_MAX_OVERFLOW: int = Field(5, ge=0)
    DB_POOL_TIMEOUT_SECONDS: int = Field(10, ge=1)
    DB_CONNECT_TIMEOUT_SECONDS: int = Field(5, ge=1)
    DB_STATEMENT_TIMEOUT_SECONDS: int = Field(30, ge=1)
    SQLALCHEMY_ENABLE_CREATE_ALL: bool = False

    REDIS_URL: str = Field("", repr=False, description="Shared storage of the rate limits.")
    LOGIN_RATE_LIMIT: str = Field("10 per minute; 100 per hour", description="Per address.")
    LOGIN_RATE_LIMIT_PER_NAME: str = Field("10 per 10 minutes", description="Per user name.")

    SESSION_COOKIE_NAME: str = "backoffice_session"
    SESSION_COOKIE_SECURE: bool = True
    SESSION_COOKIE_HTTPONLY: bool = True
    SESSION_COOKIE_SAMESITE: Literal["Lax", "Strict"] = "Lax"
    SESSION_IDLE_MINUTES: int = Field(60, ge=1, description="Signed out after so long unused.")
    SESSION_ABSOLUTE_HOURS: int = Field(12, ge=1, description="Signed out after so long anyway.")

    PROXY_HOPS: int = Field(0, ge=0, description="Trusted proxies in front of the application.")
    TRUSTED_HOSTS: TextList = Field([], description="Host names served, as a JSON list.")

    SHOP_NAME: str = "Backoffice"
    SHOP_TIMEZONE: str = Field("Europe/London", description="Decides which day a moment is on.")
    SHOP_CURRENCY: str = Field("GBP", pattern="^[A-Z]{3}$")

    REFUND_LIMIT: Decimal = Field(
        Decimal(200), ge=0, description="Refunds of one order above it need order.refund_large."
    )

    REPORT_CONCURRENCY: int = Field(3, ge=1, description="Reports running at once per process.")

    EXPORT_MAX_ROWS: int = Field(1_000_000, ge=1, description="Rows that one export may hold.")
    EXPORT_CONCURRENCY: int = Field(2, ge=1, description="Exports running at once per process.")

    BACKUP_FOLDER: str = Field("", description="Where backups lie; an absolute path.")
    BACKUP_MAX_AGE_HOURS: int = Field(26, ge=1, description="An older newest backup is a warning.")
    BACKUP_MAX_UNVERIFIED_DAYS: int = Field(8, ge=1, description="So is a last proof before that.")
    BACKUP_SCRATCH_URL: str = Field(
        "", repr=False, description="A server on which backups are proved; empty: the same."
    )
    BACKUP_AGE_RECIPIENTS: TextList = Field([], description="Public keys of age to encrypt for.")
    BACKUP_AGE_IDENTITY_FILE: str = Field("", description="The key of age that decrypts.")
    BACKUP_GPG_RECIPIENTS: TextList = Field([], description="Fingerprints of GnuPG keys.")

    @field_validator("SHOP_TIMEZONE")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                "Set it to a zone of the tz database, such as Europe/Berlin."
            ) from None
        return name

    @field_validator("LOGIN_RATE_LIMIT", "LOGIN_RATE_LIMIT_PER_NAME")
    @classmethod
    def _is_a_limit(cls, text: str) -> str:
        try:
            parse_many(text)
        except ValueError:
            raise ValueError("Set it to a limit such as: 10 per minute; 100 per hour") from None
        return text

    @field_validator("REDIS_URL")
    @classmethod
    def _is_a_redis_url(cls, text: str) -> str:
        if text and not re.match(r"(rediss?://[^/]|unix:///)", text):
            raise ValueError("Set it to a URL such as redis://127.0.0.1:6379/0")
        return text

    @field_validator("METRICS_TOKEN")
    @classmethod
    def _is_a_long_token(cls, token: str) -> str:
        if token and not re.fullmatch(rf"[\x21-\x7e]{{{MINIMUM_SECRET_LENGTH},}}", token):
            raise ValueError(
                f"Set it to {MINIMUM_SECRET_LENGTH} random characters or more, without spaces: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return token

    @field_validator("BACKUP_FOLDER", "BACKUP_AGE_IDENTITY_FILE")
    @classmethod
    def _is_an_absolute_path(cls, text: str) -> str:
        if text and not Path(text).is_absolute():
            raise ValueError("Set it to an absolute path, one that begins with /.")
        return text

    @field_validator("BACKUP_AGE_RECIPIENTS")
    @classmethod
    def _are_public_keys(cls, keys: list[str]) -> list[str]:
        if not all(_AGE_KEY.fullmatch(key) for key in keys):
            raise ValueError("Set it to public keys: age1… of age-keygen, or ssh-ed25519 ….")
        return keys

    @field_validator("BACKUP_GPG_RECIPIENTS")
    @classmethod
    def _are_fingerprints(cls, keys: list[str]) -> list[str]:
        keys = [key.replace(" ", "").upper() for key in keys]
        if not all(re.fullmatch("[0-9A-F]{40}", key) for key in keys):
            raise ValueError("Set it to whole fingerprints of 40 digits: gpg --list-keys")
        return keys

    @field_validator("BACKUP_SCRATCH_URL")
    @classmethod
    def _is_a_server_of_postgresql(cls, text: str) -> str:
        if text and parse_url(text).get_backend_name() != "postgresql":
            raise ValueError("Set it to a URL such as postgresql://user:password@host/postgres")
        return text and parse_url(text).render_as_string(hide_password=False)

    @field_validator("SQLALCHEMY_DATABASE_URI", "REPORTS_DATABASE_URL")
    @classmethod
    def _is_a_supported_url(cls, text: str) -> str:
        return text and parse_url(text).render_as_string(hide_password=False)

    @model_validator(mode="after")
    def _secret_is_long(self) -> Self:
        for name, key in [("SECRET_KEY", self.SECRET_KEY)] + [
            ("SECRET_KEY_FALLBACKS", key) for key in self.SECRET_KEY_FALLBACKS
        ]:
            if len(key) < MINIMUM_SECRET_LENGTH:
                state = "too short" if key else "missing"
                raise ValueError(
                    f"{name} is {state}. Set it to {MINIMUM_SECRET_LENGTH} random characters or "
                    'more: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
                )
        return self

    @model_validator(mode="after")
    def _database_is_real(self) -> Self:
        if not self.SQLALCHEMY_DATABASE_URI:
            raise ValueError(
                "DATABASE_URL is missing. Set it, for example, to "
                "postgresql+psycopg://user:password@host/backoffice"
            )
        if self.APP_ENV != "testing":
            refuse_test_database("DATABASE_URL", self.SQLALCHEMY_DATABASE_URI)
            refuse_test_database("REPORTS_DATABASE_URL", self.REPORTS_DATABASE_URL)
        return self

    @model_validator(mode="after")
    def _backups_are_encrypted_one_way(self) -> Self:
        if self.BACKUP_AGE_RECIPIENTS and self.BACKUP_GPG_RECIPIENTS:
            raise ValueError(
                "BACKUP_AGE_RECIPIENTS and BACKUP_GPG_RECIPIENTS are both set. Unset one of them."
            )
        return self

    @model_validator(mode="after")
    def _testing_is_an_environment(self) -> Self:
        if self.TESTING and self.APP_ENV != "testing":
            raise ValueError("TESTING is for APP_ENV=testing only. Unset it.")
        return self

    @model_validator(mode="after")
    def _migrations_are_the_only_schema_writer(self) -> Self:
        if self.SQLALCHEMY_ENABLE_CREATE_ALL and self.APP_ENV != "development":
            raise ValueError(
                "SQLALCHEMY_ENABLE_CREATE_ALL is allowed in development only. "
                "Unset it and run: flask db upgrade"
            )
        return self

    def flask_settings(self) -> dict[str, Any]:
        """Return the settings as Flask and its extensions read them."""
        url = make_url(self.SQLALCHEMY_DATABASE_URI)
        return self.model_dump() | {
            "SQLALCHEMY_ENGINE_OPTIONS": self._engine_options(url),
            "PERMANENT_SESSION_LIFETIME": timedelta(minutes=self.SESSION_IDLE_MINUTES),
            "TRUSTED_HOSTS": self.TRUSTED_HOSTS or None,
            "RATELIMIT_STORAGE_URI": self.REDIS_URL or "memory://",
            "RATELIMIT_STORAGE_OPTIONS": _REDIS_PATIENCE if self.REDIS_URL else {},
            "RATELIMIT_HEADERS_ENABLED": True,
            "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": bool(self.REDIS_URL),
            "WTF_CSRF_TIME_LIMIT": None,
            "BOOTSTRAP_SERVE_LOCAL": True,
            "FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION": True,
            "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        }

    def _engine_options(self, url: URL) -> dict[str, Any]:
        if url.get_backend_name() == "sqlite":
            return {"hide_parameters": True}
        return {
            "hide_parameters": True,
            "pool_pre_ping": True,
            "pool_recycle": 1800,
            "pool_size": self.DB_POOL_SIZE,
            "max_overflow": self.DB_MAX_OVERFLOW,
            "pool_timeout": self.DB_POOL_TIMEOUT_SECONDS,
            "connect_args": {
                "connect_timeout": self.DB_CONNECT_TIMEOUT_SECONDS,
                "application_name": "backoffice",
                "options": "-c timezone=UTC "
                f"-c statement_timeout={self.DB_STATEMENT_TIMEOUT_SECONDS}s",
            },
        }
