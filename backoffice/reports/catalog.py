"""The reports there are: loads the files of `sql/` and refuses one that is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from backoffice.errors import ConfigurationError, NotFoundError
from backoffice.reports.spec import Header, Report
from backoffice.reports.statement import statement_problems

FOLDER = Path(__file__).with_name("sql")
_FILE = re.compile(r"\A/\*---\n(?P<header>.*?)\n---\*/\n(?P<sql>.*)\Z", re.DOTALL)
_SLUG = re.compile(r"^[a-z][a-z0-9_]*$")
_DIALECTS = ("postgresql", "sqlite")


@cache
def catalog() -> dict[str, Report]:
    """Return the application's own reports by slug."""
    return load_catalog(FOLDER)


def find_report(slug: str) -> Report:
    """Return the report; raises NotFoundError naming those there are."""
    report = catalog().get(slug)
    if report is None:
        raise NotFoundError(f"There is no report {slug!r}. There are: {', '.join(catalog())}.")
    return report


def load_catalog(folder: Path) -> dict[str, Report]:
    """Load every report of a folder; raises ConfigurationError naming the file and what is wrong.

    `<slug>.sql` holds the header and the portable statement, `<slug>.<dialect>.sql` beside it the
    statement for one dialect alone.
    """
    files = sorted(folder.glob("*.sql"))
    reports = {path.stem: _load(path, files) for path in files if "." not in path.stem}
    for path in files:
        slug, _, dialect = path.stem.partition(".")
        if dialect and slug not in reports:
            _refuse(path, [f"There is no {slug}.sql beside it."])
        if dialect and dialect not in _DIALECTS:
            _refuse(path, [f"{dialect} is not one of {', '.join(_DIALECTS)}."])
    return reports


def _load(path: Path, files: Iterable[Path]) -> Report:
    if not _SLUG.match(path.stem):
        _refuse(path, ["Its name is not made of lower-case letters, digits and underscores."])
    fields, sql = _split(path)
    try:
        header = Header.model_validate(fields)
    except ValidationError as error:
        _refuse(path, [_problem(dict(item)) for item in error.errors()])
    statements = {"": sql}
    _check(path, sql, header)
    for other in files:
        slug, _, dialect = other.stem.partition(".")
        if dialect and slug == path.stem:
            statements[dialect] = other.read_text(encoding="utf-8").strip()
            _check(other, statements[dialect], header)
    return Report(**dict(header), slug=path.stem, statements=statements)


def _split(path: Path) -> tuple[dict[str, Any], str]:
    match = _FILE.match(path.read_text(encoding="utf-8"))
    if match is None:
        _refuse(path, ["It does not begin with a header between /*--- and ---*/."])
    try:
        return tomllib.loads(match["header"]), match["sql"].strip()
    except tomllib.TOMLDecodeError as error:
        _refuse(path, [f"Its header is not TOML: {error}."])


def _check(path: Path, sql: str, header: Header) -> None:
    if problems := statement_problems(sql, set(header.params)):
        _refuse(path, problems)


def _problem(error: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part != "[key]")
    return f"{place + ': ' if place else ''}{error['msg'].removeprefix('Value error, ')}."


def _refuse(path: Path, problems: list[str]) -> NoReturn:
    raise ConfigurationError(f"The report {path.name} cannot be used. {' '.join(problems)}")
