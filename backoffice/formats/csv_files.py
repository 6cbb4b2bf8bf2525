"""Reading a delimited text file record by record, in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from backoffice.errors import FileFormatError, InputError
from backoffice.formats.detection import FileFacts, open_bytes

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "\\t": "\t"}
LONGEST_FIELD = 131_072

Record = tuple[int, list[str]]


@dataclass(slots=True)
class CsvReader:
    """The header and the records of an open file; `position` is in bytes as stored."""

    header: list[str]
    delimiter: str
    records: Iterator[Record]
    raw: io.BufferedReader

    @property
    def position(self) -> int:
        """How far the file has been read."""
        return self.raw.tell()


def delimiter_named(name: str) -> str:
    """Return the delimiter for what a person typed: the character itself or its name."""
    character = DELIMITERS.get(name.lower(), name)
    if len(character) != 1 or character in '"\r\n\0' or character.isalnum():
        raise InputError(f"{name!r} cannot separate columns. Use ',', ';', 'tab' or '|'.")
    return character


@contextmanager
def open_csv(facts: FileFacts, delimiter: str | None = None) -> Iterator[CsvReader]:
    """Open a file for reading; lines may end in LF, CRLF or a bare CR.

    Every record comes with the number of the line that it starts on. Blank lines are passed over.
    """
    with facts.path.open("rb") as raw, open_bytes(raw) as plain:
        # newline="" leaves the line ends to csv, which knows all three.
        text = io.TextIOWrapper(plain, encoding=facts.encoding, newline="")
        first = text.readline().removeprefix("\ufeff")
        delimiter = delimiter or _likely_delimiter(first)
        records = _records(chain((first,), text), delimiter)
        _, header = next(records, (0, []))
        if not header:
            raise FileFormatError(f"{facts.path.name} does not begin with a line of column names.")
        yield CsvReader([name.strip() for name in header], delimiter, records, raw)


def _likely_delimiter(first_line: str) -> str:
    """Return the delimiter that splits the header into most columns; a comma when none does."""
    counts = {mark: len(next(csv.reader([first_line], delimiter=mark), [])) for mark in ",;\t"}
    return max(counts, key=lambda mark: counts[mark])


def _records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_FIELD)
    # strict: an unclosed quote must not swallow the rest of the file in silence.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(_explained(line, str(error))) from None


def _explained(line: int, error: str) -> str:
    if "field limit" in error:
        return (
            f"Line {line}: a field is longer than {LONGEST_FIELD:,} characters; "
            "is a quote left open?"
        )
    if "unexpected end" in error:
        return f"Line {line}: a quote is opened and never closed."
    return f"Line {line}: a quoted field goes on after its closing quote."
