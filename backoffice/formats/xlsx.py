"""Rows as an Excel workbook, written while they are read, in constant memory.

The file is a ZIP of a few small XML parts and one large one, the sheet, which is packed row by row:
no temporary file, and the first bytes leave with the first rows. Text is always typed as text, so
that nothing in it is a formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from backoffice.formats.cells import moment_text, plain

MOST_ROWS = 1_048_575  # beside the header
_LONGEST_TEXT = 32_767
_MOST_DIGITS = 15
_FIRST_DAY = date(1900, 3, 1)  # before it, Excel counts a day that never was
_DAY_ZERO = date(1899, 12, 30)
_ROWS_A_PIECE = 500
# What XML cannot hold, or would change, and what looks like our way of writing it.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
# Styles, by their place in styles.xml.
_HEADER, _DAY, _MOMENT = 1, 2, 3

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss\\ &quot;UTC&quot;"/>'
        "</numFmts>"
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        "</cellXfs></styleSheet>"
    ),
}
_SHEET_HEAD = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)


def xlsx_chunks(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield a workbook with one sheet: a header, then the rows; at most `MOST_ROWS` of them.

    Raises RuntimeError beyond two gigabytes of XML, which older readers could not open.
    """
    target = _Outlet()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, part in {**_PARTS, "xl/workbook.xml": _workbook(title)}.items():
            archive.writestr(_entry(name), part)
        with archive.open(_entry("xl/worksheets/sheet1.xml"), "w") as sheet:
            for piece in _sheet(names, rows):
                sheet.write(piece)
                if target.size:
                    yield target.take()
    yield target.take()


class _Outlet(io.RawIOBase):
    """What the ZIP is written to: it cannot be sought, and is emptied again and again."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._pieces.append(bytes(data))
        self.size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken, self._pieces, self.size = b"".join(self._pieces), [], 0
        return taken


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry without a date: the same rows make the same file."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _workbook(title: str) -> str:
    name = _fit(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
    return (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _sheet(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    header = "".join(_text(name, _HEADER) for name in names)
    lines = [f"{_SHEET_HEAD}<row>{header}</row>"]
    for row in rows:
        lines.append(f"<row>{''.join(map(_cell, row))}</row>")
        if len(lines) >= _ROWS_A_PIECE:
            yield "".join(lines).encode()
            lines.clear()
    lines.append("</sheetData></worksheet>")
    yield "".join(lines).encode()


def _cell(value: Any) -> str:
    match plain(value):
        case None | "":
            return "<c/>"
        case bool() as flag:
            return f'<c t="b"><v>{int(flag)}</v></c>'
        case datetime() as moment:
            return _moment(moment)
        case date() as day if day >= _FIRST_DAY:
            return f'<c s="{_DAY}"><v>{(day - _DAY_ZERO).days}</v></c>'
        case int() | Decimal() as number:
            return _number(number)
        case other:
            return _text(str(other))


def _number(number: int | Decimal) -> str:
    """Return a number; one with more digits than Excel holds exactly stays text."""
    text = str(number) if isinstance(number, int) else f"{number:f}"
    if len(text) > _MOST_DIGITS and len(text.strip("-0.").replace(".", "")) > _MOST_DIGITS:
        return _text(text)
    return f"<c><v>{text}</v></c>"


def _moment(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    if moment.date() < _FIRST_DAY:
        return _text(moment_text(moment))
    days = (moment.date() - _DAY_ZERO).days
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    return f'<c s="{_MOMENT}"><v>{days + seconds / 86_400:.10f}</v></c>'


def _text(text: str, style: int = 0) -> str:
    if len(text) > _LONGEST_TEXT:
        text = f"{text[: _LONGEST_TEXT - 1]}…"
    mark = f' s="{style}"' if style else ""
    return f'<c{mark} t="inlineStr"><is><t xml:space="preserve">{_fit(text)}</t></is></c>'


def _fit(text: str) -> str:
    """Return the text for XML, with what XML cannot hold written as Excel writes it."""
    if _UNFIT.search(text):
        text = _UNFIT.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return escape(text, {'"': "&quot;"})
