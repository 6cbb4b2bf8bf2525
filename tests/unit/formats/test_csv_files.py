"""Whatever wrote the file, the same records come out; what is no such file is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from backoffice.errors import FileFormatError, InputError
from backoffice.formats.csv_files import delimiter_named, open_csv
from backoffice.formats.detection import inspect_file

ROWS = [["Order", "Name", "Price"], ["1", "Tea, black; mild", "2.50"], ["2", "Café £", "3"]]
RECORDS = [(2, ROWS[1]), (3, ROWS[2])]


def write(path: Path, text: str, encoding: str = "utf-8", *, packed: bool = False) -> Path:
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def as_text(delimiter: str, line_end: str) -> str:
    return line_end.join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS) + line_end


def read(path: Path, **options: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    with open_csv(inspect_file(path, options.get("encoding")), options.get("delimiter")) as reader:
        return reader.header, list(reader.records)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_every_encoding_line_end_and_delimiter_gives_the_same_records(
    tmp_path: Path, encoding: str, line_end: str, delimiter: str, packed: bool
) -> None:
    path = write(tmp_path / "file", as_text(delimiter, line_end), encoding, packed=packed)

    assert read(path) == (ROWS[0], RECORDS)


def test_a_windows_file_with_a_euro_sign_is_not_taken_for_latin_1(tmp_path: Path) -> None:
    path = write(tmp_path / "f", "a,b\n€,“x”\n", "cp1252")

    assert inspect_file(path).encoding == "cp1252"
    assert read(path)[1] == [(2, ["€", "“x”"])]


def test_one_pound_sign_at_the_end_of_a_large_file_decides_the_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "f", "a,b\n" + "1,2\n" * 400_000 + "£,3\n", "latin-1")

    assert inspect_file(path).encoding == "latin-1"


def test_the_named_encoding_and_delimiter_win(tmp_path: Path) -> None:
    path = write(tmp_path / "f", "a|b,c\n1|é\n", "cp1252")

    assert read(path, encoding="cp1252", delimiter="|") == (["a", "b,c"], [(2, ["1", "é"])])


def test_a_line_break_in_a_quoted_field_belongs_to_its_record(tmp_path: Path) -> None:
    path = write(tmp_path / "f", 'a,b\n1,"two\nlines"\n\n3,4\n')

    assert read(path)[1] == [(2, ["1", "two\nlines"]), (5, ["3", "4"])]


def test_a_last_line_without_an_end_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path / "f", "a,b\n1,2"))[1] == [(2, ["1", "2"])]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture"),
        (b"PK\x03\x04" + bytes(range(256)), "a spreadsheet or zip archive"),
        (bytes(range(1, 256)) * 4, "binary file"),
        (b"a,b\n1,\x81\x8d\n", "neither UTF-8, UTF-16, Latin-1 nor Windows-1252"),
        (b"\xef\xbb\xbfa,b\n1,\xff\n", "is not utf-8 text: see byte"),
        (gzip.compress(b"a,b\n1,2\n" * 5_000, mtime=0)[:-20], "damaged or incomplete gzip"),
        (b"\x1f\x8bnonsense", "damaged or incomplete gzip"),
        (b'a,b\n1,2\n3,"' + b"x" * 10_000_000 + b'"\n', r"Line 3: a field is longer than 131,072"),
        (b"a,b\n1," + b"x" * 40_000_000, "a line of more than 16 MB"),
        (b'a,b\n1,2\n3,"open\n4,5\n', "Line 3: a quote is opened and never closed"),
        (b'a,b\n1,"x"y\n', "Line 2: a quoted field goes on after its closing quote"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_what_is_no_csv_file_is_said_in_one_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    with pytest.raises(FileFormatError, match=sentence) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_missing_files_folders_and_wrong_encodings_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"nowhere\.csv does not exist"):
        inspect_file(tmp_path / "nowhere.csv")
    with pytest.raises(FileFormatError, match="is a folder"):
        inspect_file(tmp_path)
    path = write(tmp_path / "f", "a,b\né,1\n", "latin-1")
    with pytest.raises(FileFormatError, match="is not utf-8 text: see byte 4"):
        inspect_file(path, "utf-8")
    with pytest.raises(InputError, match="Nobody knows the encoding 'klingon'"):
        inspect_file(path, "klingon")
    with pytest.raises(InputError, match="Nobody knows the encoding 'base64'"):
        inspect_file(path, "base64")


def test_a_delimiter_is_one_character_or_its_name() -> None:
    assert [delimiter_named(name) for name in ("tab", "Semicolon", ";", "|", "\\t")] == [
        "\t",
        ";",
        ";",
        "|",
        "\t",
    ]
    for nonsense in ("", ";;", "a", '"', "\n"):
        with pytest.raises(InputError, match="cannot separate columns"):
            delimiter_named(nonsense)
