"""The product rows: stock by what sells, and tags."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from backoffice.seeding.catalogue import Article
from backoffice.seeding.plan import Plan


def product_rows(plan: Plan, articles: list[Article]) -> list[dict[str, Any]]:
    """Return the product rows; what sells well is kept in larger numbers, some has run out."""
    rng = plan.stream("stock")
    return [_row(plan, rng, article) for article in articles]


def _row(plan: Plan, rng: random.Random, article: Article) -> dict[str, Any]:
    monthly = article.units_sold / max(1, plan.months)
    threshold = max(3, min(50, round(monthly * 2)))
    match rng.random():
        case luck if luck < 0.04 or article.ended_at is not None:
            stock = 0
        case luck if luck < 0.12:
            stock = rng.randint(1, threshold)
        case _:
            stock = threshold + rng.randint(1, threshold * 5)
    return {
        "id": article.id,
        "sku": article.sku,
        "name": article.name,
        "description": _description(article),
        "price": article.price,
        "unit_cost": article.unit_cost,
        "stock": stock,
        "low_stock_threshold": threshold,
        "is_available": article.ended_at is None,
        "category_id": article.category_id,
        "version": 1,
        "created_at": article.launched_at,
        "updated_at": article.ended_at or article.launched_at,
    }


def _description(article: Article) -> str:
    line, _, kind = article.name.partition(" ")
    return f"{kind} of our {line} range."


def tag_articles(plan: Plan, articles: list[Article]) -> None:
    """Give bestsellers, new and given-up articles their tags, and some articles one by taste."""
    rng = plan.stream("tags")
    taste = ("eco", "fragile", "gift", "handmade", "limited", "organic", "recycled", "vegan")
    best = sorted(articles, key=lambda article: -article.units_sold)[: len(articles) // 10]
    for article in best:
        article.tags.append("bestseller")
    for article in articles:
        if plan.now - article.launched_at < timedelta(days=60):
            article.tags.append("new")
        if article.ended_at is not None:
            article.tags.append("clearance")
        article.tags += rng.sample(taste, rng.choices((0, 1, 2), (50, 38, 12))[0])
