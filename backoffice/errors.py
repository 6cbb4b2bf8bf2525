"""What can go wrong, in words for the person at the screen.

BackofficeError                 its message is one sentence and safe to show
├── ConfigurationError          the installation cannot start like this
├── PermissionDeniedError       the person may not do this
├── NotFoundError               no such record, or not for this person
├── RuleViolationError          a rule of the trade forbids it
│   ├── AmountTooLargeError     more money than there is to give or take
│   ├── InsufficientStockError  more units than are left
│   ├── StaleRecordError        somebody else changed the record meanwhile
│   └── TransitionError         this state does not follow from the one it is in
├── InputError                  a value, file or option that cannot be used
│   ├── FileFormatError         the file as a whole cannot be read
│   └── DamagedBackupError      a backup is not what was written
└── UnavailableError            a service that is needed does not answer, or is not ready
    └── QueryLimitError         a query took longer than it may
"""

from __future__ import annotations


class BackofficeError(Exception):
    """A failure whose message is one sentence that may be shown to the person who caused it.

    `field` names the argument that is to blame, where one is; a line's is `lines.<id>.<name>`.
    """

    status_code = 400

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ConfigurationError(BackofficeError):
    """The installation is configured in a way that it must not run with."""

    status_code = 500


class PermissionDeniedError(BackofficeError):
    """The actor lacks the permission for what was asked."""

    status_code = 403


class NotFoundError(BackofficeError):
    """There is no such record, or none that the actor may see."""

    status_code = 404


class RuleViolationError(BackofficeError):
    """A rule of the trade forbids what was asked."""

    status_code = 409


class AmountTooLargeError(RuleViolationError):
    """More money than there is to give back or to take."""


class InsufficientStockError(RuleViolationError):
    """More units than the stock can give."""


class StaleRecordError(RuleViolationError):
    """The record was changed by somebody else after it was read."""


class TransitionError(RuleViolationError):
    """A state that does not follow from the one that the record is in."""


class InputError(BackofficeError):
    """A value, a file or an option that cannot be used as given."""


class FileFormatError(InputError):
    """A file that cannot be read as a whole."""


class DamagedBackupError(InputError):
    """A backup that is not what was written, or does not become what was backed up."""


class UnavailableError(BackofficeError):
    """Something that is needed does not answer or is not ready."""

    status_code = 503


class ClosedError(UnavailableError):
    """The console is closed for maintenance, perhaps for a known number of seconds."""

    def __init__(self, sentence: str, seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class QueryLimitError(UnavailableError):
    """A query was stopped because it took longer than it may."""
