"""Who runs a command."""

from __future__ import annotations

import getpass
import os


def shell_user() -> str:
    """Return the name of the account that runs this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
