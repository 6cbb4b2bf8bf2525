"""A moment in a form: typed and read in the zone of the person at the screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from wtforms.fields import DateTimeLocalField

from backoffice.admin.formatters import viewer_zone

_FORMATS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]


class AwareDateTimeField(DateTimeLocalField):
    """A local date and time that stands for exactly one moment, aware and in UTC.

    A time that the clock skips is refused. One that the clock shows twice is the first of the
    two, unless the stored moment reads the same: what was not touched stays, to the microsecond.
    """

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        # Without the step, a browser has no seconds and would drop those that are stored.
        options.setdefault("render_kw", {"step": "1"})
        super().__init__(label, validators, format=_FORMATS, **options)
        self._help = self.description

    def _explain(self, which: str) -> None:
        self.description = f"{self._help} The clock shows this time twice; {which}".strip()

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(map(str, self.raw_data))
        return "" if self.data is None else _local(self.data).isoformat(timespec="seconds")

    def process_data(self, value: datetime | None) -> None:
        """Take a moment; say so in the help when its local time happens twice."""
        self.data = value
        if value is not None and _is_twice(_local(value), viewer_zone()):
            self._explain(f"this is the one in {value.astimezone(viewer_zone()):%Z}.")

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the local time as a moment; raise ValueError for one that there is not."""
        stored = self.object_data
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        super().process_formdata(valuelist)
        typed: Any = self.data
        self.data, self.description = None, self._help
        if isinstance(stored, datetime) and _local(stored).replace(microsecond=0) == typed:
            self.process_data(stored)
            return
        self.data = self._moment(typed, viewer_zone())

    def _moment(self, typed: datetime, zone: ZoneInfo) -> datetime:
        try:
            moment = typed.replace(tzinfo=zone, fold=0).astimezone(UTC)
            shown = moment.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("This is too far away.") from None
        if shown != typed:
            raise ValueError(f"The clock skips this time in {zone.key}. Choose another.")
        if _is_twice(typed, zone):
            self._explain("the first of the two is meant.")
        return moment


def _local(moment: datetime) -> datetime:
    return moment.astimezone(viewer_zone()).replace(tzinfo=None, fold=0)


def _is_twice(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock shows this time twice: set back, so that its offset falls."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second
