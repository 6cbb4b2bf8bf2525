"""What kind of text a file holds, found out before anything else is done with it.

The whole file is read once: a lone pound sign in the last line decides between UTF-8 and Latin-1,
and a truncated archive shows only at its end.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backoffice.errors import FileFormatError, InputError

CHUNK_BYTES = 1 << 20
LONGEST_LINE_BYTES = 16 * CHUNK_BYTES

_GZIP = b"\x1f\x8b"
_NOT_TEXT = {
    b"PK\x03\x04": "a spreadsheet or zip archive; save it as CSV first",
    b"\xd0\xcf\x11\xe0": "an old Excel or Office file; save it as CSV first",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "a SQLite database",
}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13}) + b"\x7f"
_ALL_BUT_C1 = bytes(set(range(256)) - set(range(0x80, 0xA0)))


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A text file that can be read from beginning to end; `size` is in bytes as stored."""

    path: Path
    size: int
    sha256: str
    encoding: str


def inspect_file(path: Path, encoding: str | None = None) -> FileFacts:
    """Read the whole file once and return what it is; `encoding` overrides the detection.

    Raises FileFormatError with what is wrong, and InputError for an encoding nobody knows.
    """
    try:
        if not path.is_file():
            raise FileFormatError(_why_no_file(path))
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
        size = path.stat().st_size
        encoding = _named(encoding) if encoding else None
        return FileFacts(path, size, digest, _checked_encoding(path, encoding))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FileFormatError(
            f"{path.name} is a damaged or incomplete gzip file; fetch it again."
        ) from None
    except OSError as error:
        raise FileFormatError(f"{path} cannot be read: {error.strerror or error}.") from None


def open_bytes(raw: BinaryIO) -> BinaryIO:
    """Return the plain bytes of an open file, unpacked when it is gzipped."""
    is_packed = raw.read(2) == _GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if is_packed else raw  # type: ignore[return-value]


def _why_no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, not a file."
    if path.exists():
        return f"{path} is not a regular file; save it to a file first."
    return f"{path} does not exist."


def _named(encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
        codec.decode(b"")
        "".encode(codec.name)
    except (LookupError, ValueError):
        raise InputError(
            f"Nobody knows the encoding {encoding!r}. Try utf-8, latin-1, cp1252 or utf-16."
        ) from None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def _checked_encoding(path: Path, encoding: str | None) -> str:
    sample = next(_chunks(path), b"")
    if not sample.strip(b"\0 \t\r\n"):
        raise FileFormatError(f"{path.name} is empty.")
    if encoding:
        _decode_all(path, encoding)
        return encoding
    if found := _wide_or_marked(sample):
        _decode_all(path, found)
        return found
    _refuse_binary(path, sample)
    return "utf-8" if _bad_byte(path, "utf-8") is None else _eight_bit_encoding(path)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw, open_bytes(raw) as plain:
        while chunk := plain.read(CHUNK_BYTES):
            yield chunk


def _wide_or_marked(sample: bytes) -> str | None:
    """Return the encoding that a byte order mark or the zero bytes of UTF-16 give away."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return encoding
    head = sample[:4096]
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.7 * half and head[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half and head[::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _refuse_binary(path: Path, sample: bytes) -> None:
    for magic, what in _NOT_TEXT.items():
        if sample.startswith(magic):
            raise FileFormatError(f"{path.name} is not a text file but {what}.")
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls * 20 > len(sample):
        raise FileFormatError(f"{path.name} is a binary file, not text.")


def _decode_all(path: Path, encoding: str) -> None:
    """Raise FileFormatError unless every byte of the file is text in `encoding`."""
    place = _bad_byte(path, encoding)
    if place is not None:
        raise FileFormatError(
            f"{path.name} is not {encoding.removesuffix('-sig')} text: see byte {place:,}. "
            "Name its encoding with --encoding."
        )


def _bad_byte(path: Path, encoding: str) -> int | None:
    """Return about where the file stops to be text in `encoding`, or None when it does not."""
    decoder = codecs.getincrementaldecoder(encoding)()
    start = since_line_end = 0
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
            start += len(chunk)
            has_end = b"\n" in chunk or b"\r" in chunk
            since_line_end = 0 if has_end else since_line_end + len(chunk)
            if since_line_end > LONGEST_LINE_BYTES:
                raise FileFormatError(f"{path.name} has a line of more than 16 MB; it is no CSV.")
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return start + getattr(error, "start", 0)
    return None


def _eight_bit_encoding(path: Path) -> str:
    """Return Latin-1, or Windows-1252 when bytes occur that Latin-1 keeps for control codes."""
    if not any(chunk.translate(None, _ALL_BUT_C1) for chunk in _chunks(path)):
        return "latin-1"
    if _bad_byte(path, "cp1252") is not None:
        raise FileFormatError(
            f"{path.name} is neither UTF-8, UTF-16, Latin-1 nor Windows-1252 text. "
            "Name its encoding with --encoding."
        )
    return "cp1252"
