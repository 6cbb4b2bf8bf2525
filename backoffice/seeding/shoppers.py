"""Who buys when, simulated shopper by shopper.

The shapes follow the UCI Online Retail data: a third of the customers buy once, a few buy very
often (gamma distributed pace, beta distributed chance to stay away after each purchase).
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from backoffice.seeding.demand import DAYS_BEFORE, Demand
from backoffice.seeding.plan import Plan


@dataclass(slots=True, eq=False)
class Shopper:
    """Somebody who comes to buy; `since` is when the account was made, None for a guest.

    A visit before the account was made is a guest's, too.
    """

    since: datetime | None
    visits: list[datetime] = field(default_factory=list)

    def is_guest_at(self, moment: datetime) -> bool:
        """Whether the shopper has no account at that moment."""
        return self.since is None or moment < self.since


def simulate_shoppers(demand: Demand) -> tuple[list[Shopper], list[Shopper]]:
    """Return the customers in the order of their accounts, and the guests as they came."""
    plan = demand.plan
    guest_visits = round(plan.orders * plan.guest_share)
    customers = _customers(demand, plan.orders - guest_visits)
    guests = _guests(demand, guest_visits)
    if guests:
        _visit_on_new_years_eve(plan, guests)
    return customers, guests


def _customers(demand: Demand, visits: int) -> list[Shopper]:
    """Return the plan's customers, who come exactly so many times altogether."""
    if not demand.plan.customers:
        return []
    pace = 1.0
    crowd = _crowd(demand, pace)
    while sum(len(shopper.visits) for shopper in crowd) < visits:
        pace *= 1.25
        crowd = _crowd(demand, pace)
    rng = demand.plan.stream("customers.kept")
    everything = [(shopper, visit) for shopper in crowd for visit in shopper.visits]
    for shopper in crowd:
        shopper.visits = []
    for index in sorted(rng.sample(range(len(everything)), visits)):
        shopper, visit = everything[index]
        shopper.visits.append(visit)
    _register_late(demand.plan, crowd)
    return sorted(crowd, key=lambda shopper: shopper.since or demand.plan.now)


def _crowd(demand: Demand, pace: float) -> list[Shopper]:
    rng = demand.plan.stream("customers")
    days = sorted(rng.choices(demand.days, demand.weights, k=demand.plan.customers))
    return [_customer(demand, rng, day, pace) for day in days]


def _customer(demand: Demand, rng: random.Random, day: int, pace: float) -> Shopper:
    """Return a customer who arrives on that day; visits before the first day are left out."""
    rate = pace * rng.gammavariate(0.7, 1 / (0.7 * 15))
    stay_away = rng.betavariate(0.8, 1.5) / pace
    shopper = Shopper(demand.moment(day, rng))
    visit, clock = shopper.since, float(day)
    while visit is not None and clock < len(demand.days):
        eager = rng.random() < demand.weights[int(clock)] / demand.peak
        if clock == day:
            eager, visit = rng.random() < 0.9, visit + timedelta(seconds=rng.randrange(180, 3600))
        elif eager:
            moment = demand.moment(int(clock), rng)
            visit = moment if moment > visit else visit + timedelta(minutes=rng.randrange(10, 60))
        if eager and int(clock) >= DAYS_BEFORE and visit < demand.plan.now:
            shopper.visits.append(visit)
        if eager and rng.random() < stay_away:
            break
        clock += max(0.5, rng.expovariate(max(rate, 1e-6)))
    return shopper


def _register_late(plan: Plan, crowd: list[Shopper]) -> None:
    """Let every tenth customer have bought as a guest before making the account."""
    rng = plan.stream("customers.late")
    for shopper in crowd:
        if rng.random() < 0.1 and shopper.visits:
            shopper.since = min(shopper.visits[0] + timedelta(minutes=5), plan.now)


def _guests(demand: Demand, visits: int) -> list[Shopper]:
    """Return shoppers without an account, every eighth of whom comes a second time."""
    rng = demand.plan.stream("guests")
    days = demand.days[DAYS_BEFORE:]
    cumulative = list(itertools.accumulate(demand.weights[DAYS_BEFORE:]))
    guests: list[Shopper] = []
    while visits > 0:
        times = 2 if visits > 1 and rng.random() < 0.125 else 1
        chosen = rng.choices(days, cum_weights=cumulative, k=times)
        guests.append(Shopper(None, sorted(demand.moment(day, rng) for day in chosen)))
        visits -= times
    return sorted(guests, key=lambda guest: guest.visits[0])


def _visit_on_new_years_eve(plan: Plan, guests: list[Shopper]) -> None:
    """Move the nearest visit to 31 December, 23:30, where a report by UTC takes the wrong year."""
    last_year = (plan.as_of - timedelta(days=1)).year - 1
    eve = plan.moment(date(last_year, 12, 31), time(23, 30))
    if not plan.first_day <= plan.local_day(eve) < plan.as_of:
        return
    guest = min(guests, key=lambda guest: abs(guest.visits[0] - eve))
    guest.visits[0] = eve
    guest.visits.sort()
