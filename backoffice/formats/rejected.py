"""The file of rejected lines: what was not taken, line by line, and why."""

from __future__ import annotations

import csv
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from backoffice.errors import InputError

SUFFIX = ".rejected.csv"


class RejectedFile:
    """Collects rejected lines beside the imported file; nothing is in place before `publish`.

    Let only one import at a time make one: what a killed run has left is written over.
    The columns are as they were read, so that the lines can be put right and imported again;
    nothing is escaped for spreadsheets. Raises InputError when the folder cannot be written.
    """

    def __init__(self, source: Path, header: list[str], delimiter: str) -> None:
        self.path = source.with_name(source.name + SUFFIX)
        self.counts: Counter[str] = Counter()
        self._part = source.with_name(f".{source.name}{SUFFIX}.part")
        if self.path.is_dir():
            raise self._no_place("it is a folder")
        try:
            self._file = self._part.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, delimiter=delimiter)
            self._writer.writerow(["line", "reason", *header])
        except OSError as error:
            raise self._no_place(error.strerror) from None

    def add(self, line: int, row: list[str], kind: str, detail: str) -> None:
        """Note one rejected line."""
        self.counts[kind] += 1
        try:
            self._writer.writerow([line, detail, *row])
        except OSError as error:
            raise self._no_place(error.strerror) from None

    def publish(self) -> None:
        """Put the file in place in one step, or remove that of an earlier run when none is due."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if self.counts:
                self._part.replace(self.path)
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._no_place(error.strerror) from None

    def close(self) -> None:
        """Leave nothing half-written behind; safe to call after `publish`."""
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _no_place(self, why: str | None) -> InputError:
        return InputError(
            f"{self.path} cannot be written ({why}), and rejected lines must not be lost."
        )
