"""What a list was asked for: its URL, understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from backoffice.admin.listing.filters import DayFilter, Filter, Term, Viewer
from backoffice.admin.listing.keyset import Order
from backoffice.errors import InputError

_POSITION = ("after", "before", "at")
_LONGEST_SEARCH = 200
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of the question that can be taken back: its words, and the list without it."""

    words: str
    without: str


@dataclass(slots=True)
class ListState:
    """The question that a list answers: search, filters, order and position.

    `notices` says what in the URL could not be used.
    """

    order: Order
    search: str = ""
    terms: dict[Filter, list[Term]] = field(default_factory=dict)
    after: str = ""
    before: str = ""
    at_end: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def is_narrowed(self) -> bool:
        """Whether not all rows were asked for."""
        return bool(self.search or self.terms)

    @property
    def has_empty(self) -> bool:
        """Whether rows without a value in the column of the order can be among those asked for."""
        terms = [
            one
            for f, terms in self.terms.items()
            if f.name == self.order.name.lstrip("-")
            for one in terms
        ]
        return not terms or any(
            term.key.endswith(".empty") and term.value == "yes" for term in terms
        )

    def pairs(self) -> list[Pair]:
        """Return the question as the URL has it, without the position."""
        search = [("search", self.search)] if self.search else []
        terms = [(term.key, term.value) for terms in self.terms.values() for term in terms]
        return [*search, *terms, ("sort", self.order.name)]

    def query(self, *more: Pair, without: Iterable[str] = ()) -> str:
        """Return the query string of this question, with and without some of its keys."""
        dropped = set(without)
        kept = [pair for pair in self.pairs() if pair[0] not in dropped]
        return urlencode([*kept, *more])

    def chips(self) -> list[Chip]:
        """Return each part of the question with the list without it."""
        pairs = self.pairs()
        words = {("search", self.search): f"“{self.search}”"}
        for terms in self.terms.values():
            words |= {(term.key, term.value): term.words for term in terms}
        return [
            Chip(words[pair], urlencode([other for other in pairs if other != pair]))
            for pair in pairs
            if pair in words
        ]


def read_state(
    arguments: MultiDict[str, str],
    filters: Sequence[Filter],
    orders: dict[str, Order],
    default: Order,
    viewer: Viewer,
) -> ListState:
    """Understand a URL; what cannot be used becomes a notice and is left out."""
    state = ListState(order=default)
    state.search = arguments.get("search", "").replace("\0", "").strip()[:_LONGEST_SEARCH]
    for filter_ in filters:
        _read_filter(state, filter_, arguments, viewer)
    _read_order(state, orders, arguments.get("sort"))
    state.after, state.before = arguments.get("after", ""), arguments.get("before", "")
    state.at_end = arguments.get("at") == "end"
    known = {"sort", "search", "view", "all", *_POSITION, *(key for f in filters for key in f.keys)}
    unknown = [name[:40] for name in arguments if name not in known]
    if unknown:
        state.notices.append(f"This list does not know: {', '.join(unknown[:5])}.")
    return state


def _read_order(state: ListState, orders: dict[str, Order], name: str | None) -> None:
    """Take the order asked for; without one, days that were asked for come in their order.

    Found in any other, the rows of a few days may lie anywhere in a long list.
    """
    if name is not None and name not in orders:
        state.notices.append(f"This list cannot be sorted by {name[:40]!r}.")
    days = (f"-{filter_.name}" for filter_ in state.terms if isinstance(filter_, DayFilter))
    names = [name, *days] if name is not None else days
    state.order = next((orders[one] for one in names if one in orders), state.order)


def _read_filter(
    state: ListState, filter_: Filter, arguments: MultiDict[str, str], viewer: Viewer
) -> None:
    values = {
        key: [value.replace("\0", "") for value in dict.fromkeys(arguments.getlist(key))]
        for key in filter_.keys
    }
    try:
        terms = filter_.terms(values, viewer)
    except InputError as error:
        state.notices.append(str(error))
        return
    if terms:
        state.terms[filter_] = terms
