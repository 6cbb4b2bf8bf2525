"""A save that came too late: what the form was made of, what there is now, and what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backoffice.admin.parts.bound import BoundPart
from backoffice.db import db
from backoffice.models import Change, ChangeSet
from backoffice.services.history import (
    BEFORE,
    change_sets_of,
    is_same,
    is_told,
    newest_change,
    told_value,
)

_MOST_CHANGES = 100
_GONE = "deleted"


@dataclass(frozen=True, slots=True)
class Clash:
    """One field of which there are several versions; `base` is what the form was opened with."""

    label: str
    base: Any
    has_base: bool
    theirs: Any
    mine: Any
    change_set: ChangeSet | None
    is_theirs_kept: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Who wrote since the form was opened, newest first, and what differs now."""

    change_sets: Sequence[ChangeSet]
    clashes: list[Clash]


def find_conflict(form: Any, record: Any, names: Sequence[str]) -> Conflict:
    """Compare the form with the record as it is now, and make the form ready to be sent again.

    What the person typed stays in it. A field that only others changed takes their value:
    sending it again as it was would undo what nobody has looked at.
    """
    version, seen = _number(form.row_version.data), _number(form.row_change.data)
    since: Sequence[ChangeSet] = ()
    if seen is not None:
        since = change_sets_of(db.session(), record, limit=_MOST_CHANGES, after=seen)
    # Every write moves the version on by one, those that are not in the log as well.
    # A change of its parts alone is told, and leaves its version.
    own = [made for made in since if any("." not in change.field for change in made.changes)]
    is_all_told = version is not None and len(own) == record.version - version
    found = [_clash(form[name], getattr(record, name), since, is_all_told) for name in names]
    form.row_version.data = str(record.version)
    newest = since[0].id if since else newest_change(db.session(), record)
    form.row_change.data = "" if newest is None else str(newest)
    return Conflict(since, [clash for clash in found if clash is not None])


def find_all_conflicts(form: Any, record: Any, names: Sequence[str]) -> Conflict:
    """Compare the form and its parts with what there is now; see `find_conflict`."""
    found = [find_conflict(form, record, names)]
    for part in form.parts:
        found += list(_conflicts_of(part))
    change_sets = {made.id: made for one in found for made in one.change_sets}
    newest_first = [change_sets[key] for key in sorted(change_sets, reverse=True)]
    return Conflict(newest_first, [clash for one in found for clash in one.clashes])


def _conflicts_of(part: BoundPart) -> Iterator[Conflict]:
    part.look_up(part.rows)
    title, names = part.part.title, part.part.columns
    for row in [row for row in part.rows if row.is_stale]:
        if row.record is None:
            typed = next((row.form[name].data for name in names if row.form[name].data), None)
            yield Conflict((), [Clash(title, None, False, _GONE, typed, None, False)])
            part.rows.remove(row)
            continue
        found = find_conflict(row.form, row.record, names)
        clashes = [replace(clash, label=f"{title}: {clash.label}") for clash in found.clashes]
        yield Conflict(found.change_sets, clashes)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _clash(field: Any, theirs: Any, since: Sequence[ChangeSet], is_all_told: bool) -> Clash | None:
    mine = field.data
    edits = [change for made in since for change in made.changes if change.field == field.name]
    if not edits and is_same(mine, theirs):
        return None
    is_untouched = bool(edits) and is_told(mine, edits[-1], BEFORE)
    if is_untouched:
        field.raw_data = None
        field.process(None, data=theirs)
    return Clash(
        label=field.label.text,
        base=_base(edits[-1]) if edits else theirs,
        has_base=bool(edits) or is_all_told,
        theirs=theirs,
        mine=mine,
        change_set=edits[0].change_set if edits else None,
        is_theirs_kept=is_untouched,
    )


def _base(change: Change) -> Any:
    """Return the value before a change, or its text where the value cannot be had."""
    try:
        return told_value(db.session(), change, BEFORE)
    except (LookupError, ValueError, ArithmeticError):
        return change.old_value
