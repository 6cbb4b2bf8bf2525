"""Persons who do not exist: names by Faker, addresses at example.com, numbers nobody has."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from faker import Faker
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User

DOMAIN = "example.com"

# Country → Faker's locale, weight, and a telephone number in a range kept free for fiction.
COUNTRIES: dict[str, tuple[str, int, str]] = {
    "United Kingdom": ("en_GB", 0, "+44 7700 900###"),
    "Germany": ("de_DE", 4, "+49 30 23125 ###"),
    "France": ("fr_FR", 3, "+33 1 99 00 ## ##"),
    "Ireland": ("en_IE", 2, "+353 20 915 ####"),
    "United States": ("en_US", 3, "+1 202 555 01##"),
}
HOME = next(iter(COUNTRIES))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name, and where to reach them."""

    first_name: str
    last_name: str
    country: str
    phone_number: str
    email: str

    @property
    def full_name(self) -> str:
        """Return the name as it is written on a parcel."""
        return f"{self.first_name} {self.last_name}"

    @property
    def username(self) -> str:
        """Return the part of the e-mail address before the @."""
        return self.email.partition("@")[0]


class People:
    """Draws persons from one random stream; no e-mail address is `taken` or given twice."""

    def __init__(self, rng: random.Random, abroad_share: float, taken: set[str]) -> None:
        self._rng = rng
        self._abroad_share = abroad_share
        self._taken = taken
        self._fakers = {}
        for country, (locale, _weight, _phone) in COUNTRIES.items():
            # By true frequency, names come six times as slowly.
            self._fakers[country] = Faker(locale, use_weighting=False)
            self._fakers[country].seed_instance(rng.getrandbits(64))

    def person(self, number: int | str) -> Person:
        """Return the next person; `number` makes the e-mail address unique."""
        country = self._country()
        faker = self._fakers[country]
        first, last = faker.first_name(), faker.last_name()
        return Person(first, last, country, self._phone(country), self._email(first, last, number))

    def address(self, person: Person) -> str:
        """Return a postal address in the person's country, on several lines."""
        faker = self._fakers[person.country]
        street = faker.street_address().replace("\n", ", ")
        town = f"{faker.postcode()} {faker.city()}"
        if person.country in ("United Kingdom", "Ireland", "United States"):
            town = f"{faker.city()} {faker.postcode()}"
        return f"{street}\n{town}\n{person.country}"

    def bio(self, person: Person) -> str | None:
        """Return what half of the people say of themselves."""
        if self._rng.random() < 0.5:
            return None
        faker = self._fakers[person.country]
        return f"{faker.job()}, {faker.city()}"

    def _country(self) -> str:
        if self._rng.random() >= self._abroad_share:
            return HOME
        weights = [weight for _locale, weight, _phone in COUNTRIES.values()]
        return self._rng.choices(list(COUNTRIES), weights)[0]

    def _phone(self, country: str) -> str:
        return "".join(
            str(self._rng.randrange(10)) if sign == "#" else sign for sign in COUNTRIES[country][2]
        )

    def _email(self, first: str, last: str, number: int | str) -> str:
        name = f"{_plain(first)}.{_plain(last)}{number}"
        while f"{name}@{DOMAIN}" in self._taken:
            name += "x"
        self._taken.add(f"{name}@{DOMAIN}")
        return f"{name}@{DOMAIN}"


def account_rows(
    people: People, person: Person, user_id: int, profile_id: int, since: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the user and the profile of a customer who cannot sign in."""
    stamps = {"created_at": since, "updated_at": since, "version": 1}
    user = {
        "id": user_id,
        "username": person.username,
        "email": person.email,
        "password_hash": None,
        "role": Role.CUSTOMER,
        "is_active": True,
        "session_version": 1,
        "last_login_at": None,
    }
    profile = {
        "id": profile_id,
        "user_id": user_id,
        "full_name": person.full_name,
        "phone_number": person.phone_number,
        "bio": people.bio(person),
        "avatar_url": None,
        "country": person.country,
    }
    return user | stamps, profile | stamps


def _plain(name: str) -> str:
    """Return the letters a to z of a name."""
    spelled = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return "".join(letter for letter in spelled if "a" <= letter <= "z") or "customer"


def taken_addresses(session: Session) -> set[str]:
    """Return the e-mail addresses that a new customer cannot have, for the user name's sake too."""
    query = sa.select(User.email, User.username)
    return {
        address
        for email, username in session.execute(query)
        for address in (email, f"{username}@{DOMAIN}")
        if address
    }
