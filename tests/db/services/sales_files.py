"""Sales files for tests of the import."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def line(
    number: str = "1001",
    sku: str = "A1",
    name: str = "Tea",
    quantity: object = 2,
    at: str = "2011-07-01 00:30:00",
    price: object = "2.50",
    customer: str = "17850.0",
    country: str = "United Kingdom",
) -> str:
    """Return one line of the Online Retail layout."""
    return f"{number},{sku},{name},{quantity},{at},{price},{customer},{country}"


def sales_file(folder: Path, *lines: str, name: str = "sales.csv", header: str = HEADER) -> Path:
    """Write a file of lines under a header."""
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return path


def many_lines(orders: int, lines_each: int = 10) -> Iterable[str]:
    """Give the lines of many orders of few customers and articles."""
    for order in range(orders):
        for item in range(lines_each):
            yield line(
                str(5000 + order),
                f"S{item % 7}",
                f"Article {item % 7}",
                item + 1,
                f"2011-{1 + order % 12:02}-{1 + order % 28:02} 12:00:00",
                f"{item}.{item}5",
                "" if order % 5 == 0 else str(900 + order % 11),
            )


# Lines that cannot be taken, and what is said of them.
BAD_LINES = [
    (line(quantity=-1), "Quantity is not > 0: -1"),
    (line(quantity=0), "Quantity is not > 0: 0"),
    (line(quantity="1.5"), "Quantity is not a whole number: '1.5'"),
    (line(quantity=3_000_000_000), "Quantity is too large: '3000000000'"),
    (line(quantity="two"), "Quantity is not a number: 'two'"),
    (line(price="0"), "UnitPrice is not > 0: 0"),
    (line(price="-1.5"), "UnitPrice is not > 0: -1.5"),
    (line(price="NaN"), "UnitPrice is not a number: 'NaN'"),
    (line(price="inf"), "UnitPrice is not a number: 'inf'"),
    (line(price="1e14"), "UnitPrice is too large: '1e14'"),
    (line(price=9_999_999_999, quantity=2_000_000_000), "the amount is too large"),
    (line(at="0001-01-01 00:00:00"), "InvoiceDate is out of range: '0001-01-01 00:00:00'"),
    (line(at="9999-01-01 00:00:00"), "InvoiceDate is out of range: '9999-01-01 00:00:00'"),
    (
        line(at="1/13/2011 8:26"),
        "InvoiceDate is not a date of the form %Y-%m-%d %H:%M:%S: '1/13/2011 8:26'",
    ),
    (line(number=""), "InvoiceNo is missing"),
    (line(sku=" "), "StockCode is missing"),
    (line(number="9" * 41), f"InvoiceNo is longer than 40 characters: '{'9' * 41}'"),
    (line(name="a\0b"), r"Description holds control characters: 'a\x00b'"),
    (line() + ",more", "too many columns: 9 instead of 8"),
    ("1001,A1", "too few columns: 2 instead of 8"),
]
