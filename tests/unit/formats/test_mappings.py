"""The mapping file says what a layout is called, and is checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backoffice.errors import FileFormatError, InputError
from backoffice.formats.mappings import Mapping, find_mapping, load_mapping
from backoffice.formats.values import NumberFormat

SEEDS = Path(__file__).resolve().parents[3] / "seeds" / "mappings"
COLUMNS = """
[columns]
order_number = "No"
sku = "SKU"
quantity = "Qty"
unit_price = "Price"
placed_at = "Date"
"""
DATES = '[dates]\nformats = ["%d.%m.%Y"]\n'


def load(folder: Path, text: str) -> Mapping:
    path = folder / "ours.toml"
    path.write_text(text, "utf-8")
    return load_mapping(path)


def test_the_shipped_layout_is_that_of_online_retail() -> None:
    mapping = find_mapping("online_retail", SEEDS)

    assert mapping.columns["sku"] == "StockCode"
    assert mapping.date_formats == ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M")
    assert mapping.must_have == {"quantity": "> 0", "unit_price": "> 0"}


def test_a_mapping_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    load(tmp_path, COLUMNS + DATES)

    assert find_mapping("ours", tmp_path) == find_mapping(str(tmp_path / "ours.toml"), SEEDS)
    with pytest.raises(InputError, match=r"no mapping 'theirs'. Known are: ours\."):
        find_mapping("theirs", tmp_path)


def test_columns_are_found_whatever_their_case(tmp_path: Path) -> None:
    mapping = load(tmp_path, COLUMNS + DATES)

    assert mapping.positions(["DATE", "no ", "x", "sku", "qty", "price"], "f") == {
        "placed_at": 0,
        "order_number": 1,
        "sku": 3,
        "quantity": 4,
        "unit_price": 5,
    }


def test_a_header_that_lacks_a_column_is_told_with_what_was_found(tmp_path: Path) -> None:
    mapping = load(tmp_path, COLUMNS + DATES)

    with pytest.raises(
        FileFormatError, match=r"f\.csv has no column SKU, Date\. Its header is: No, Qty, Price\."
    ):
        mapping.positions(["No", "Qty", "Price"], "f.csv")
    with pytest.raises(FileFormatError, match=r"f\.csv has the column SKU more than once"):
        mapping.positions(["No", "SKU", "sku", "Qty", "Price", "Date"], "f.csv")


def test_the_command_line_overrides_the_mapping(tmp_path: Path) -> None:
    mapping = load(tmp_path, COLUMNS + DATES + '[numbers]\ndecimal = "."\nthousands = ","\n')
    changed = mapping.overridden(date_format="%Y-%m-%d", decimal_comma=True)

    assert changed.date_formats == ("%Y-%m-%d",)
    assert changed.numbers == NumberFormat(",", ".")
    with pytest.raises(InputError, match="is not a date format"):
        mapping.overridden(date_format="%H:%M", decimal_comma=False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[columns", "is not valid TOML"),
        (DATES, "does not name order_number, sku, quantity, unit_price, placed_at"),
        (COLUMNS, "needs formats"),
        (COLUMNS + '[dates]\nformats = ["%Q"]', "is not a date format"),
        (COLUMNS + 'colour = "x"\n' + DATES, r"colour is no entry of \[columns\]"),
        (COLUMNS + DATES + "[misc]\n", "misc is no section"),
        (COLUMNS + DATES + '[numbers]\ndecimal = "x"', "knows decimal"),
        (COLUMNS + DATES + '[numbers]\nthousands = "."', "the same mark"),
        (COLUMNS + DATES + '[must_have]\nsku = "> 0"', "is no rule"),
        (COLUMNS + DATES + '[must_have]\ncustomer = "present"', "needs a column customer"),
        (COLUMNS + DATES + '[defaults]\ncurrency = "pounds"', "is not a code"),
        (COLUMNS + DATES + "[defaults]\ncountry = 1", "is not a text"),
        ('columns = "x"', "columns is not a section"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(FileFormatError, match=sentence):
        load(tmp_path, text)
