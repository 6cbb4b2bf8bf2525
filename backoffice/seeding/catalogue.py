"""What the shop sells: products with prices, costs and launch days, and how they are chosen."""

from __future__ import annotations

import bisect
import csv
import itertools
import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from backoffice.db import quantize
from backoffice.seeding.plan import SEEDS_DIR, Plan

RANGES = (
    "Alder", "Barrow", "Brae", "Calder", "Coppice", "Dunmore", "Elmet", "Fenwick", "Gorse",
    "Harrow", "Kestrel", "Linden", "Marlow", "Nordby", "Otter", "Pembury", "Quill", "Rowan",
    "Selby", "Thistle", "Upton", "Vale", "Wren", "Yarrow",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Article:
    """A product while it is being made; `appeal` is how often it is chosen."""

    name: str
    category: str
    price: Decimal
    unit_cost: Decimal
    launched_at: datetime
    ended_at: datetime | None
    appeal: float
    id: int = 0
    sku: str = ""
    category_id: int = 0
    units_sold: int = 0
    tags: list[str] = field(default_factory=list)


def make_articles(plan: Plan) -> list[Article]:
    """Return the plan's articles in the order of their launch."""
    rng = plan.stream("products")
    kinds = _kinds()
    choices = list(itertools.product(RANGES, kinds))
    articles = [
        _article(plan, rng, rank, line, kind)
        for rank, (line, kind) in enumerate(rng.sample(choices, plan.products))
    ]
    return sorted(articles, key=lambda article: article.launched_at)


def _kinds() -> list[dict[str, str]]:
    with (SEEDS_DIR / "vocabulary" / "articles.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _article(plan: Plan, rng: random.Random, rank: int, line: str, kind: dict[str, str]) -> Article:
    price = max(2, round(float(kind["price"]) * math.exp(rng.gauss(0, 0.35)))) - Decimal("0.01")
    # Zipf–Mandelbrot: a flat head and a long tail; a few articles hardly anybody wants.
    appeal = (rank + 8) ** -1.15 * math.exp(rng.gauss(0, 0.35)) / math.sqrt(price)
    appeal *= 0.02 if rng.random() < 0.04 else 1
    launched_at, ended_at = _life(plan, rng)
    return Article(
        name=f"{line} {kind['article']}",
        category=kind["category"],
        price=price,
        unit_cost=quantize(price * Decimal(rng.randrange(40, 71)) / 100, 2),
        launched_at=launched_at,
        ended_at=ended_at,
        appeal=appeal,
    )


def _life(plan: Plan, rng: random.Random) -> tuple[datetime, datetime | None]:
    """Return when an article was launched and, for one in twenty, when it was given up."""
    opening = plan.moment(plan.first_day, datetime.min.time())
    span = (plan.now - opening).total_seconds()
    if rng.random() < 0.65:
        launched_at = opening - timedelta(seconds=rng.randrange(1, 365 * 86_400))
    else:
        launched_at = opening + timedelta(seconds=rng.randrange(int(span * 0.96)))
    if rng.random() >= 0.05:
        return launched_at, None
    left = (plan.now - max(opening, launched_at)).total_seconds()
    return launched_at, plan.now - timedelta(seconds=rng.randrange(1, int(left * 0.7)))


class Shelf:
    """What is on sale all through a span of time, weighted by appeal, in all and by category."""

    def __init__(self, articles: list[Article], start: datetime, end: datetime) -> None:
        self._all = _Pile()
        self._by_category: dict[str, _Pile] = {}
        for article in articles:
            if article.launched_at <= start and (article.ended_at or end) >= end:
                age = (start - article.launched_at).days
                appeal = article.appeal * (1 + 1.5 * math.exp(-age / 30))
                self._all.add(article, appeal)
                self._by_category.setdefault(article.category, _Pile()).add(article, appeal)

    def choose(self, rng: random.Random, lines: int) -> list[Article]:
        """Return up to so many different articles; half of the further ones match the first."""
        basket = [self._all.draw(rng)]
        for _attempt in range(lines - 1):
            pile = self._by_category[basket[0].category] if rng.random() < 0.5 else self._all
            article = pile.draw(rng)
            if article not in basket:
                basket.append(article)
        return basket


class _Pile:
    """Articles to draw from by their appeal."""

    def __init__(self) -> None:
        self.articles: list[Article] = []
        self.cumulative: list[float] = []

    def add(self, article: Article, appeal: float) -> None:
        self.articles.append(article)
        self.cumulative.append((self.cumulative[-1] if self.cumulative else 0.0) + appeal)

    def draw(self, rng: random.Random) -> Article:
        return self.articles[bisect.bisect(self.cumulative, rng.random() * self.cumulative[-1])]
