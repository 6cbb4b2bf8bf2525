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
