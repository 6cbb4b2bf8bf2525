"""What an action has to know before it can be planned, as a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backoffice.services.bulk_actions import BulkAction

# Each returns a form with a method `options`.
FORMS: dict[type[BulkAction], Callable[[Any, Any], Any]] = {}


def ask(view: Any, action: BulkAction) -> Any:
    """Return the form of an action, None for one that asks nothing."""
    build = FORMS.get(type(action))
    return build(view, action) if build else None
