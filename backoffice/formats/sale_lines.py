"""One line of a sales file: from columns of text to values that a database can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain, islice
from zoneinfo import ZoneInfo

from backoffice.formats.csv_files import Record
from backoffice.formats.mappings import FIELDS, Mapping
from backoffice.formats.values import (
    LineError,
    Memo,
    Moment,
    clean_text,
    fitting_format,
    moment_parser,
    scaled,
    shown,
    without_float_ending,
)

# line, order, sku, name, quantity, price × 10^4, total × 10^2, moment in UTC, day in the shop's
# zone, customer, country, category; quantity and total of a credit note are below nought
SaleLine = tuple[
    int, str, str, str | None, int, int, int, str, str, str | None, str | None, str | None
]
Reject = Callable[[int, list[str], LineError], None]

SAMPLED_LINES = 1_000
PRICE_PLACES = 4
LARGEST_QUANTITY = 2**31 - 1
LARGEST_PRICE = 10**14 - 1
LARGEST_TOTAL = 10**14 - 1
_LONGEST = {
    "order_number": 40,
    "sku": 64,
    "product_name": 200,
    "customer": 150,
    "country": 80,
    "category": 100,
}


class SaleLineReader:
    """Turns records into sale lines; what cannot be used goes to `reject`, line by line."""

    def __init__(
        self,
        mapping: Mapping,
        positions: dict[str, int],
        width: int,
        *,
        zone: ZoneInfo,
        latest: datetime,
        registered_only: bool = False,
    ) -> None:
        self._mapping = mapping
        self._positions = positions
        self._width = width
        self._zone = zone
        self._latest = latest
        self._rules = dict(mapping.must_have)
        if registered_only:
            self._rules["customer"] = "present"

    def lines(self, records: Iterator[Record], reject: Reject) -> Iterator[SaleLine]:
        """Give the lines that can be used, in the order of the file."""
        sample = list(islice(records, SAMPLED_LINES))
        moments = Memo(self._moment_parser(sample))
        numbers, skus = Memo(self._number), Memo(self._sku)
        quantities, prices = Memo(self._quantity), Memo(self._price)
        names, categories = Memo(self._text("product_name")), Memo(self._text("category"))
        customers, countries = Memo(self._customer), Memo(self._country)
        width = self._width
        # A column that the mapping does not name is read from the blank cell appended below.
        number, sku, quantity, price, moment, name, customer, country, category = (
            self._positions.get(key, width) for key in FIELDS
        )
        for line, row in chain(sample, records):
            if len(row) != width:
                reject(line, row, _wrong_width(len(row), width))
                continue
            row.append("")
            try:
                count = quantities[row[quantity]]
                document, is_credit = numbers[row[number]]
                if not count or (count < 0) is not is_credit:
                    raise self._wrong_sign(count, is_credit)
                units = prices[row[price]]
                at, day = moments[row[moment]]
                # Half up to cents, in whole numbers: exact and quick.
                total = (units * abs(count) + 50) // 100
                if total > LARGEST_TOTAL:
                    raise LineError("the amount is too large")
                yield (
                    line,
                    document,
                    skus[row[sku]],
                    names[row[name]],
                    count,
                    units,
                    total if count > 0 else -total,
                    at,
                    day,
                    customers[row[customer]],
                    countries[row[country]],
                    categories[row[category]],
                )
            except LineError as error:
                reject(line, row[:width], error)

    def _label(self, key: str) -> str:
        return self._mapping.columns.get(key, key)

    def _moment_parser(self, sample: list[Record]) -> Callable[[str], Moment]:
        index = self._positions["placed_at"]
        texts = (row[index] for _, row in sample if len(row) == self._width)
        form = fitting_format(texts, self._mapping.date_formats)
        return moment_parser(self._label("placed_at"), form, self._zone, self._latest)

    def _text(self, key: str) -> Callable[[str], str | None]:
        clean = clean_text(self._label(key), _LONGEST[key])
        return self._needed(key) if self._rules.get(key) == "present" else clean

    def _needed(self, key: str) -> Callable[[str], str]:
        label = self._label(key)
        clean = clean_text(label, _LONGEST[key])

        def parse(text: str) -> str:
            value = clean(text)
            if value is None:
                raise LineError(f"{label} is missing")
            return value

        return parse

    def _number(self, text: str) -> tuple[str, bool]:
        """Return the number of a document, and whether it is a credit note's."""
        number = self._needed("order_number")(text)
        return number, number.startswith(self._mapping.credit_prefix or ())

    def _sku(self, text: str) -> str:
        sku = self._needed("sku")(text).upper()
        # A few letters become two in upper case.
        return self._needed("sku")(sku)

    def _customer(self, text: str) -> str | None:
        customer = self._text("customer")(text)
        return customer and without_float_ending(customer).lower()

    def _country(self, text: str) -> str | None:
        return self._text("country")(text or self._mapping.country or "")

    def _quantity(self, text: str) -> int:
        label = self._label("quantity")
        value = self._mapping.numbers.parser(label)(text)
        if value != value.to_integral_value():
            raise LineError(
                f"{label} is not a whole number", f"{label} is not a whole number: {shown(text)}"
            )
        if abs(value) > LARGEST_QUANTITY:
            raise LineError(f"{label} is too large", f"{label} is too large: {shown(text)}")
        return int(value)

    def _wrong_sign(self, count: int, is_credit: bool) -> LineError:
        kind = f"{self._label('quantity')} is not {'< 0' if is_credit else '> 0'}"
        return LineError(kind, f"{kind}: {count}")

    def _price(self, text: str) -> int:
        value = self._mapping.numbers.parser(self._label("unit_price"))(text)
        units = scaled(value, PRICE_PLACES)
        if units > LARGEST_PRICE:
            label = self._label("unit_price")
            raise LineError(f"{label} is too large", f"{label} is too large: {shown(text)}")
        rule = self._rules.get("unit_price", ">= 0")
        if units < 0 or (units == 0 and rule == "> 0"):
            kind = f"{self._label('unit_price')} is not {rule}"
            raise LineError(kind, f"{kind}: {text.strip()}")
        return units


def _wrong_width(found: int, width: int) -> LineError:
    kind = "too few columns" if found < width else "too many columns"
    return LineError(kind, f"{kind}: {found} instead of {width}")
