"""Amounts of money: what can be used, and how they are divided without losing a cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from backoffice.db import quantize
from backoffice.errors import InputError

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
LARGEST = Decimal("999999999999.99")


def clean_amount(value: Decimal | int, field: str) -> Decimal:
    """Return an amount of 0.00 or more in whole cents; raise InputError for any other."""
    amount = Decimal(value)
    if not amount.is_finite() or amount > LARGEST:
        raise InputError("This amount is too large.", field=field)
    if amount < 0:
        raise InputError("An amount cannot be negative.", field=field)
    if amount != quantize(amount, 2):
        raise InputError("Write the amount with two decimals at most.", field=field)
    return quantize(amount, 2)


def clean_positive(value: Decimal | int, field: str) -> Decimal:
    """Return an amount of 0.01 or more in whole cents; raise InputError for any other."""
    amount = clean_amount(value, field)
    if not amount:
        raise InputError("Write an amount above zero.", field=field)
    return amount


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Divide an amount by weights into whole cents that add up to it: by largest remainder."""
    whole = sum(weights, NOTHING)
    if not whole:
        return [NOTHING for _ in weights]
    exact = [total * weight / whole for weight in weights]
    shares = [part.quantize(CENT, rounding="ROUND_FLOOR") for part in exact]
    missing = int((total - sum(shares, NOTHING)) / CENT)
    by_remainder = sorted(range(len(shares)), key=lambda i: shares[i] - exact[i])
    for index in by_remainder[:missing]:
        shares[index] += CENT
    return shares


def share_of_units(
    whole: Decimal, units: int, *, of: int, before: int = 0, given: Decimal = NOTHING
) -> Decimal:
    """Return what `units` of the `of` units of a line are worth, after `before` units for `given`.

    Rounded cumulatively, so that the shares of all units add up to the whole. Where less or more
    was given by hand before, it is the plain share; never more than what is left.
    """
    if not units:
        return NOTHING
    plain = quantize(whole * units / of, 2)
    running = quantize(whole * (before + units) / of, 2) - given
    share = running if abs(running - plain) <= CENT else plain
    return max(NOTHING, min(share, whole - given))


def share_of_amount(
    whole: Decimal, amount: Decimal, *, of: Decimal, before: Decimal, given: Decimal
) -> Decimal:
    """Return the part of `whole` that goes with `amount` of `of`, after `before` took `given`.

    This is the tax that goes with a part of a line; with the last part goes all that is left.
    """
    if not of:
        return NOTHING
    running = quantize(whole * (before + amount) / of, 2) - given
    return max(NOTHING, min(running, whole - given))
