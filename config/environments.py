"""How the environments differ."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from config.base import ROOT, BaseConfig

# Signs sessions on a developer's own machine only; production refuses to start without its own.
_DEVELOPMENT_KEY = "development-only-key-of-this-checkout"
_TESTING_KEY = "testing-only-key-testing-only-key"
_PUBLISHED_KEYS = {_DEVELOPMENT_KEY, _TESTING_KEY}


class DevelopmentConfig(BaseConfig):
    """A developer's machine: an embedded database under var/, readable logs, plain HTTP."""

    APP_ENV: str = "development"
    LOG_FORMAT: Literal["json", "text"] = "text"
    SECRET_KEY: str = Field(_DEVELOPMENT_KEY, repr=False)
    SQLALCHEMY_DATABASE_URI: str = Field(
        f"sqlite:///{ROOT / 'var' / 'backoffice.sqlite'}",
        repr=False,
        validation_alias=AliasChoices("DATABASE_URL", "SQLALCHEMY_DATABASE_URI"),
    )
    SESSION_COOKIE_SECURE: bool = False
    BACKUP_FOLDER: str = str(ROOT / "var" / "backups")


class TestingConfig(BaseConfig):
    """Automated tests: the caller names the database."""

    __test__: ClassVar[bool] = False  # its name makes pytest take it for a class of tests

    APP_ENV: str = "testing"
    TESTING: bool = True
    SECRET_KEY: str = Field(_TESTING_KEY, repr=False)
    SQLALCHEMY_DATABASE_URI: str = Field(
        "sqlite:///:memory:",
        repr=False,
        validation_alias=AliasChoices("DATABASE_URL", "SQLALCHEMY_DATABASE_URI"),
    )
    SESSION_COOKIE_SECURE: bool = False


class ProductionConfig(BaseConfig):
    """The real thing, and staging: refuses everything that is only fit for a desk."""

    @model_validator(mode="after")
    def _nothing_that_is_only_fit_for_a_desk(self) -> Self:
        if self.DEBUG or self.FLASK_DEBUG:
            name = "DEBUG" if self.DEBUG else "FLASK_DEBUG"
            raise ValueError(f"{name} must be off in production. Unset it.")
        if _PUBLISHED_KEYS & {self.SECRET_KEY, *self.SECRET_KEY_FALLBACKS}:
            raise ValueError(
                "SECRET_KEY is the one of development or of the tests, which everybody can read. "
                "Set your own."
            )
        if not (self.SESSION_COOKIE_SECURE and self.SESSION_COOKIE_HTTPONLY):
            raise ValueError(
                "SESSION_COOKIE_SECURE and SESSION_COOKIE_HTTPONLY must stay on in production. "
                "Unset them and serve over HTTPS."
            )
        if not self.REDIS_URL:
            raise ValueError(
                "REDIS_URL is missing. Rate limits need storage that all processes share: "
                "set it, for example, to redis://127.0.0.1:6379/0"
            )
        if not self.TRUSTED_HOSTS:
            raise ValueError(
                "TRUSTED_HOSTS is missing. Set it to the host names you serve, as a JSON list: "
                '["backoffice.example.com"]'
            )
        return self
