"""All checks, in the order in which the page shows them."""

from __future__ import annotations

from backoffice.errors import NotFoundError
from backoffice.reports.quality.check import Check
from backoffice.reports.quality.goods import GOODS
from backoffice.reports.quality.money import MONEY

CHECKS: tuple[Check, ...] = (*GOODS, *MONEY)


def find_check(slug: str) -> Check:
    """Return the check; raise NotFoundError without one."""
    for check in CHECKS:
        if check.slug == slug:
            return check
    raise NotFoundError("There is no such check.")
