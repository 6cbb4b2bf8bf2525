"""The settings of each environment, read from the process environment when asked."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import ValidationError

from backoffice.errors import ConfigurationError
from config.base import BaseConfig
from config.environments import DevelopmentConfig, ProductionConfig, TestingConfig

ENVIRONMENTS: Mapping[str, type[BaseConfig]] = {
    "development": DevelopmentConfig,
    "testing": TestingConfig,
    "staging": ProductionConfig,
    "production": ProductionConfig,
}


def load_config(name: str | None = None) -> BaseConfig:
    """Return the settings for `name`, else for APP_ENV, else for production.

    Raises ConfigurationError with a sentence that says what to set.
    """
    name = name or os.environ.get("APP_ENV") or "production"
    if name not in ENVIRONMENTS:
        raise ConfigurationError(
            f"APP_ENV is {name!r}. Set it to one of: {', '.join(ENVIRONMENTS)}."
        )
    try:
        return ENVIRONMENTS[name](APP_ENV=name)
    except ValidationError as error:
        raise ConfigurationError(_sentences(error)) from None


def _sentences(error: ValidationError) -> str:
    """Return what is wrong, one line per setting, without the values."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        setting = ".".join(str(part) for part in problem["loc"])
        lines.append(f"{setting}: {message}" if setting else message)
    return "\n".join(lines)


__all__ = [
    "ENVIRONMENTS",
    "BaseConfig",
    "DevelopmentConfig",
    "ProductionConfig",
    "TestingConfig",
    "load_config",
]
