"""Changing prices: one rule over many products, and the history of prices that it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import utc_now
from backoffice.errors import InputError
from backoffice.models import BulkPlanRow, PriceChange, Product, RowOutcome
from backoffice.services.bulk_actions import (
    Chunk,
    Options,
    Row,
    Sealed,
    SetValue,
    insert_into,
    told,
)

_LOWEST_PERCENT, _HIGHEST_PERCENT = Decimal(-100), Decimal(500)
_MOST_CENTS = 10**12


class Rule(StrEnum):
    """How a new price comes from the old one."""

    PERCENT = "percent"
    AMOUNT = "amount"
    SET = "set"


@dataclass(frozen=True, slots=True)
class PriceRule:
    """A rule with its number; `ends_99` takes the nearest price that ends in .99."""

    rule: Rule
    amount: Decimal
    ends_99: bool

    def cents(self, price: Any) -> Any:
        """Return SQL of the new price in whole cents, halves rounded up.

        Whole numbers throughout, so that both databases find the same.
        """
        ten_thousandths = sa.cast(sa.func.round(price * 10_000), sa.BigInteger)
        number = int(self.amount * 100)
        match self.rule:
            case Rule.PERCENT:
                cents = (ten_thousandths * (10_000 + number) + 500_000) // 1_000_000
            case Rule.AMOUNT:
                cents = (ten_thousandths + 50) // 100 + number
            case Rule.SET:
                cents = sa.literal(number, sa.BigInteger)
        if not self.ends_99:
            return cents
        # Below 0.49 the nearest would be -0.01.
        return sa.case(
            (cents < 0, cents),
            (cents < 49, sa.literal(99, sa.BigInteger)),
            else_=(cents + 51) // 100 * 100 - 1,
        )


def read_rule(options: Options) -> PriceRule:
    """Return the rule of a plan's options; raise InputError for one that makes no sense."""
    try:
        rule, amount = Rule(options["rule"]), Decimal(options["amount"])
    except (KeyError, ValueError, TypeError, InvalidOperation):
        raise InputError("Choose a rule and enter a number.") from None
    # First, since a number of more digits than a Decimal has cannot be rounded, nor one near
    # the largest be multiplied.
    if not amount.is_finite() or abs(amount) >= _MOST_CENTS // 100:
        raise InputError("This number is too large.")
    if amount != round(amount, 2):
        raise InputError("At most two decimal places.")
    if rule is Rule.PERCENT and not _LOWEST_PERCENT <= amount <= _HIGHEST_PERCENT:
        raise InputError(f"From {_LOWEST_PERCENT} to {_HIGHEST_PERCENT} per cent.")
    if rule is Rule.SET and amount < 0:
        raise InputError("A price is zero or more.")
    return PriceRule(rule, amount, bool(options.get("ends_99")))


@dataclass(frozen=True, kw_only=True)
class ChangePrice(SetValue):
    """Gives products new prices by one rule; each is noted in the history of prices."""

    def seal(self, actor: Actor, options: Options) -> Sealed:
        """Return the price now and by the rule; warn of one below what the product costs."""
        cents = read_rule(options).cents(Product.price)
        fits = cents.between(0, _MOST_CENTS - 1)
        price = sa.cast(cents, sa.Numeric) / 100
        new = sa.type_coerce(sa.case((fits, price)), Product.price.type)
        return Sealed(
            told(Product.price),
            told(new),
            blocked=sa.case(
                (cents < 0, "The new price would be below zero."),
                (~fits, "The new price would be too large."),
            ),
            warning=sa.case((price < Product.unit_cost, "Below what one costs.")),
        )

    def words(self, options: Options) -> str:
        """Return the rule in words."""
        rule = read_rule(options)
        words = {
            Rule.PERCENT: f"by {rule.amount:+f} %",
            Rule.AMOUNT: f"by {rule.amount:+f}",
            Rule.SET: f"to {rule.amount:f}",
        }[rule.rule]
        return f"{words}, ending in .99" if rule.ends_99 else words

    def afterwards(self, chunk: Chunk) -> None:
        """Note old and new prices: one statement."""
        old, new = (sa.cast(text, Product.price.type) for text in chunk.values)
        columns = ["product_id", "old_price", "new_price", "batch_id", "reason"]
        acted = ["actor_id", "actor_name", "created_at"]
        reason = f"undo of plan {chunk.plan.id}" if chunk.is_undo else chunk.plan.reason
        rows = sa.select(
            Row.record_id,
            old,
            new,
            sa.literal(UUID(int=chunk.change_set_id), sa.Uuid),
            sa.literal(reason, sa.Text),
            sa.literal(chunk.actor.user_id, sa.BigInteger),
            sa.literal(chunk.actor.name),
            sa.literal(utc_now(), Product.updated_at.type),
        )
        chunk.run(insert_into("price_changes", [*columns, *acted], rows.where(chunk.rows)))


def note_price_change(session: Session, actor: Actor, product: Product) -> None:
    """Write what a product's unflushed new price replaces into the history of prices.

    Joins the caller's transaction. A new product has no price to replace. Raises
    PermissionDeniedError where the price changes and the actor may not change it.
    """
    history = sa.inspect(product).attrs.price.history
    if not (history.deleted and history.added):
        return
    actor.require(Permission.PRICE_CHANGE)
    session.add(
        PriceChange(
            product_id=product.id,
            old_price=history.deleted[0],
            new_price=history.added[0],
            actor_id=actor.user_id,
            actor_name=actor.name,
        )
    )


def largest_changes(session: Session, plan_id: int) -> list[BulkPlanRow]:
    """Return the rows of a plan whose price rises and falls the most, in that order."""
    old, new = (sa.cast(text, Product.price.type) for text in (Row.before, Row.after))
    ratio = sa.cast(new, sa.Float) / sa.func.nullif(sa.cast(old, sa.Float), 0)
    changing = Row.outcome.in_([RowOutcome.PLANNED, RowOutcome.DONE, RowOutcome.REVERTED])
    mine = sa.select(Row).where(Row.plan_id == plan_id, changing)
    rise = session.scalar(mine.where(ratio > 1).order_by(ratio.desc(), Row.id).limit(1))
    fall = session.scalar(mine.where(ratio < 1).order_by(ratio, Row.id).limit(1))
    return [row for row in (rise, fall) if row is not None]
