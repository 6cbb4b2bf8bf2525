"""The WSGI entry point, also of the `flask` command: `app`, or one sentence and exit code 1."""

from backoffice.app import create_app
from backoffice.errors import ConfigurationError

try:
    app = create_app()
except ConfigurationError as error:
    raise SystemExit(f"Backoffice cannot start.\n{error}") from None
