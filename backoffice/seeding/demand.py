"""How much is bought when: season, weekday, growth, the yearly sale, and the mood of the days."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, time, timedelta

from backoffice.seeding.plan import Plan

# Customers who registered before the first day with orders make the first months ordinary ones.
DAYS_BEFORE = 730


class Demand:
    """How much is bought on each day, and at which moment of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.first_day = plan.first_day - timedelta(days=DAYS_BEFORE)
        self.days = range(DAYS_BEFORE + plan.days)
        self.weights = [self._season(day) * self._growth(day) for day in self.days]
        rng, mood = plan.stream("demand"), 0.0
        for day in self.days:
            mood = 0.6 * mood + rng.gauss(0, 0.15)
            self.weights[day] *= math.exp(mood)
        self.peak = max(self.weights)

    def date(self, day: int) -> date:
        """Return the date of a day's number."""
        return self.first_day + timedelta(days=day)

    def moment(self, day: int, rng: random.Random) -> datetime:
        """Return a moment of that day, by the shop's clock."""
        hour = rng.choices(range(24), self.plan.hour)[0]
        at = time(hour, rng.randrange(60), rng.randrange(60))
        return self.plan.moment(self.date(day), at)

    def _season(self, day: int) -> float:
        date = self.date(day)
        weight = self.plan.month[date.month - 1] * self.plan.weekday[date.weekday()]
        if is_sale(date):
            weight *= 1.7
        if date.month == 12 and date.day >= 24:
            weight *= 0.45
        return weight

    def _growth(self, day: int) -> float:
        return float(self.plan.growth ** (day / 365))


def is_sale(day: date) -> bool:
    """Whether the shop's yearly sale is on."""
    return day.month == 11 and 22 <= day.day <= 30
