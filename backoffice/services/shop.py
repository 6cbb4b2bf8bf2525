"""What services need to know of the shop's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from backoffice.errors import InputError


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the shop's day begins, what it is paid in, and what one order may be refunded."""

    zone: ZoneInfo
    currency: str
    refund_limit: Decimal

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """Return the shop of an application's configuration."""
        return cls(
            ZoneInfo(config["SHOP_TIMEZONE"]), config["SHOP_CURRENCY"], config["REFUND_LIMIT"]
        )

    def day(self, moment: datetime) -> date:
        """Return the day that it is in the shop at a moment."""
        return moment.astimezone(self.zone).date()


def require_currency(given: str | None, expected: str) -> None:
    """Raise InputError for an amount in another currency than that of the order."""
    if given is not None and given != expected:
        raise InputError(f"This is in {expected}; write the amount in it.", field="currency")
