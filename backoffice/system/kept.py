"""A fact that is found out at most once in a while, however many threads ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What `read` returned, kept for some seconds; one thread at a time finds it out anew."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = threading.Lock()
        self._value: T | None = None
        self._until = 0.0

    def get(self) -> T:
        """Return the fact; whoever comes while it is being found out gets the one before."""
        known = self._value
        if known is not None and time.monotonic() < self._until:
            return known
        if not self._lock.acquire(blocking=known is None):
            assert known is not None  # noqa: S101  or it would have waited
            return known
        try:
            if self._value is None or time.monotonic() >= self._until:
                self._value = self._read()
                self._until = time.monotonic() + self._seconds
            return self._value
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Find it out anew the next time."""
        self._value = None
