"""What to make: how much, of what shape, from which seed, as seen on which day."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SEEDS_DIR = Path(__file__).resolve().parents[2] / "seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A profile of seeds/profiles with the shop's own zone and currency.

    `as_of` is the simulated today: everything that is made happened before that day began.
    """

    seed: int
    as_of: date
    months: int
    products: int
    customers: int
    orders: int
    guest_share: float
    cancelled_share: float
    abroad_share: float
    growth: float
    month: list[float]
    weekday: list[float]
    hour: list[float]
    zone: str
    currency: str

    @property
    def first_day(self) -> date:
        """The first day with orders."""
        return months_before(self.as_of, self.months)

    @property
    def days(self) -> int:
        """How many days have orders."""
        return (self.as_of - self.first_day).days

    @property
    def now(self) -> datetime:
        """The moment at which the simulated shop stands still."""
        return self.moment(self.as_of, time())

    def moment(self, day: date, at: time) -> datetime:
        """Return the UTC moment of a wall-clock time in the shop."""
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)

    def local_day(self, moment: datetime) -> date:
        """Return the shop's day on which a moment falls."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def stream(self, kind: str) -> random.Random:
        """Return the random stream of one kind: adding a kind does not shift the others."""
        return stream(self.seed, kind)

    def told(self) -> dict[str, Any]:
        """Return the plan as JSON can keep it, to recognise it later."""
        return dataclasses.asdict(self) | {"as_of": self.as_of.isoformat()}


def load_plan(
    name: str, *, zone: str, currency: str, seed: int | None = None, as_of: date | None = None
) -> Plan:
    """Return the profile of that name; `seed` and `as_of` replace the ones in its file."""
    text = (SEEDS_DIR / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    if seed is not None:
        values["seed"] = seed
    if as_of is not None:
        values["as_of"] = as_of
    return Plan(**values, zone=zone, currency=currency)


def stream(seed: int, kind: str) -> random.Random:
    """Return the random numbers of one kind of rows, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{kind}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))  # noqa: S311  not for secrets


def months_before(day: date, months: int) -> date:
    """Return the day so many months earlier, at most the 28th."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, min(day.day, 28))
