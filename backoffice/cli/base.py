"""What every command shares: an app context, a schema at head, and errors as one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from backoffice.access import Actor, Source, command_actor
from backoffice.db import db
from backoffice.errors import BackofficeError
from backoffice.system.migrations import require_head
from backoffice.system.shell import shell_user


class Command(click.Command):
    """A command that ends with one clear sentence and exit code 1 when something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what went wrong into a sentence."""
        try:
            return super().invoke(ctx)
        except BackofficeError as error:
            raise click.ClickException(str(error)) from error
        except DBAPIError as error:
            raise click.ClickException(_sentence(error)) from error


def _sentence(error: DBAPIError) -> str:
    text = str(error.orig).lower()
    if "readonly" in text or "read-only" in text:
        return "The database is read-only. Nothing was changed."
    if "locked" in text or "lock timeout" in text:
        return "The database is locked by another process. Nothing was changed; try again later."
    if error.connection_invalidated or "connect" in text or "unable to open" in text:
        return "The database does not answer. Check DATABASE_URL and that the server runs."
    return f"The database refused the work ({type(error.orig).__name__}). Nothing was changed."


def command(name: str, *, needs_schema: bool = True) -> Callable[[Callable[..., Any]], Command]:
    """Declare a `flask` command; by default it refuses to run on a schema that is not at head."""

    def declare(function: Callable[..., Any]) -> Command:
        def run(*args: Any, **kwargs: Any) -> Any:
            if needs_schema:
                require_head(db.engine.engine)  # of a connection, too
            return function(*args, **kwargs)

        run.__doc__ = function.__doc__
        run.__name__ = function.__name__
        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        return click.command(name, cls=Command)(with_appcontext(run))

    return declare


def shell_actor(source: Source = Source.COMMAND) -> Actor:
    """Return the actor for the person who runs this command."""
    return command_actor(shell_user(), source)
