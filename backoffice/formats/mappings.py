"""The mapping file: what a sales file calls its columns and how it writes its values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backoffice.errors import FileFormatError, InputError
from backoffice.formats.values import NumberFormat, known_directives

NEEDED = ("order_number", "sku", "quantity", "unit_price", "placed_at")
OPTIONAL = ("product_name", "customer", "country", "category")
FIELDS = NEEDED + OPTIONAL
RULES = ("> 0", ">= 0", "present")
_SECTIONS = {
    "columns": set(FIELDS),
    "dates": {"formats"},
    "numbers": {"decimal", "thousands"},
    "must_have": set(FIELDS),
    "credit_notes": {"prefix"},
    "defaults": {"currency", "country"},
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read one layout of sales files; `columns` is {our name: the file's name}."""

    name: str
    columns: dict[str, str]
    date_formats: tuple[str, ...]
    numbers: NumberFormat = field(default_factory=NumberFormat)
    must_have: dict[str, str] = field(default_factory=dict)
    currency: str | None = None
    country: str | None = None
    # What the numbers of credit notes begin with; None where a file has none.
    credit_prefix: str | None = None

    def positions(self, header: list[str], file_name: str) -> dict[str, int]:
        """Return {our name: column index}; raises FileFormatError naming the columns that lack."""
        found = [name.strip().casefold() for name in header]
        wanted = {key: name.strip().casefold() for key, name in self.columns.items()}
        missing = [self.columns[key] for key, name in wanted.items() if name not in found]
        if missing:
            raise FileFormatError(
                f"{file_name} has no column {_listed(missing)}. Its header is: {_listed(header)}."
            )
        if twice := [self.columns[key] for key, name in wanted.items() if found.count(name) > 1]:
            raise FileFormatError(f"{file_name} has the column {_listed(twice)} more than once.")
        return {key: found.index(name) for key, name in wanted.items()}

    def overridden(self, *, date_format: str | None, decimal_comma: bool) -> Mapping:
        """Return the mapping with what the command line says otherwise."""
        changed = self
        if date_format:
            changed = replace(changed, date_formats=(_date_format(date_format, InputError),))
        if decimal_comma:
            thousands = "." if self.numbers.thousands in (",", ".") else self.numbers.thousands
            changed = replace(changed, numbers=NumberFormat(",", thousands))
        return changed


def find_mapping(name: str, folder: Path) -> Mapping:
    """Return the mapping of a name in `folder`, or of a path to a TOML file."""
    path = Path(name)
    if re.fullmatch(r"[A-Za-z0-9_-]+", name) and not path.is_file():
        path = folder / f"{name}.toml"
    if not path.is_file():
        known = sorted(file.stem for file in folder.glob("*.toml"))
        raise InputError(f"There is no mapping {name!r}. Known are: {_listed(known)}.")
    return load_mapping(path)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; raises FileFormatError with what is wrong in it."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path.name} is not valid TOML: {error}.") from None
    try:
        return _mapping(path.stem, data)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{path.name}: {error}") from None


def _mapping(name: str, data: dict[str, Any]) -> Mapping:
    _refuse_unknown(data, _SECTIONS, "section")
    sections = {key: _section(data, key) for key in _SECTIONS}
    columns = {key: _text(f"columns.{key}", value) for key, value in sections["columns"].items()}
    if lacking := [key for key in NEEDED if key not in columns]:
        raise ValueError(f"[columns] does not name {_listed(lacking)}.")
    return Mapping(
        name,
        columns,
        _date_formats(sections["dates"].get("formats")),
        _number_format(sections["numbers"]),
        _rules(sections["must_have"], columns),
        _currency(sections["defaults"].get("currency")),
        _optional("defaults.country", sections["defaults"].get("country")),
        _optional("credit_notes.prefix", sections["credit_notes"].get("prefix")),
    )


def _section(data: dict[str, Any], key: str) -> dict[str, Any]:
    section = data.get(key, {})
    if not isinstance(section, dict):
        raise TypeError(f"{key} is not a section.")
    _refuse_unknown(section, _SECTIONS[key], f"entry of [{key}]")
    return section


def _refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{_listed(unknown)} is no {what}; known are {_listed(sorted(known))}.")


def _date_formats(formats: Any) -> tuple[str, ...]:
    if not isinstance(formats, list) or not formats:
        raise ValueError('[dates] needs formats, such as ["%Y-%m-%d %H:%M:%S"].')
    return tuple(_date_format(_text("dates.formats", form), ValueError) for form in formats)


def _date_format(form: str, error: type[Exception]) -> str:
    if not known_directives(form):
        raise error(f"{form!r} is not a date format; write one such as %d.%m.%Y %H:%M.")
    return form


def _number_format(section: dict[str, Any]) -> NumberFormat:
    decimal, thousands = section.get("decimal", "."), section.get("thousands", "")
    if decimal not in (".", ",") or thousands not in ("", ".", ",", " ", "'"):
        raise ValueError("[numbers] knows decimal . and , and thousands . , blank and '.")
    if decimal == thousands:
        raise ValueError("[numbers] has the same mark for decimals and thousands.")
    return NumberFormat(decimal, thousands)


def _rules(rules: dict[str, Any], columns: dict[str, str]) -> dict[str, str]:
    for key, rule in rules.items():
        if rule not in RULES or (rule != "present" and key not in ("quantity", "unit_price")):
            raise ValueError(f"must_have.{key} = {rule!r} is no rule; known are {_listed(RULES)}.")
        if key not in columns:
            raise ValueError(f"must_have.{key} needs a column {key}.")
    return rules


def _currency(value: Any) -> str | None:
    text = _optional("defaults.currency", value)
    if text and not re.fullmatch("[A-Z]{3}", text):
        raise ValueError("defaults.currency is not a code such as GBP.")
    return text


def _optional(key: str, value: Any) -> str | None:
    return None if value is None else _text(key, value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{key} is not a text.")
    return value.strip()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
