"""Importing sales history: a file of line items becomes completed orders.

An order number is imported once. Again with the same lines it is unchanged; with others it is
refused, never merged. Stock is untouched: what is imported has left the house long ago.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import Actor, Permission
from backoffice.db import transaction, utc_now
from backoffice.errors import FileFormatError
from backoffice.formats.csv_files import CsvReader, Record, open_csv
from backoffice.formats.detection import FileFacts, inspect_file
from backoffice.formats.mappings import Mapping
from backoffice.formats.rejected import RejectedFile
from backoffice.formats.sale_lines import SaleLineReader
from backoffice.formats.values import LineError
from backoffice.services import (
    audit,
    import_credits,
    import_deciding,
    import_staging,
    import_writing,
)

Progress = Callable[[int], None]
_REPORT_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class ImportRules:
    """How to read a file; `encoding` and `delimiter` are found out when they are None."""

    mapping: Mapping
    zone: ZoneInfo
    currency: str
    encoding: str | None = None
    delimiter: str | None = None
    registered_only: bool = False


@dataclass(slots=True)
class ImportSummary:
    """What an import did, or would have done; `rejected` counts lines by reason.

    Lines of sales are `accepted`, those of credit notes `credited`; `linked` of the latter, counted
    by article, belong to a sale that is known.
    """

    file: str
    sha256: str
    encoding: str
    lines: int = 0
    accepted: int = 0
    credited: int = 0
    unchanged: int = 0
    orders: int = 0
    orders_unchanged: int = 0
    credit_notes: int = 0
    credit_notes_unchanged: int = 0
    linked: int = 0
    customers: int = 0
    products: int = 0
    categories: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    rejected_file: Path | None = None

    @property
    def rejected_lines(self) -> int:
        """How many lines were not taken."""
        return sum(self.rejected.values())


class _DryRunOver(Exception):  # noqa: N818  it is no error
    """Takes the transaction of a dry run to its rollback."""


def import_orders(
    actor: Actor,
    path: Path,
    rules: ImportRules,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import a file of line items in one transaction; a dry run does all of it and rolls back.

    Rejected lines are in `FILE.rejected.csv` before anything is committed, also in a dry run.
    `progress` is told the bytes read so far. Raises FileFormatError for a file that cannot be read
    as a whole, and UnavailableError while another import runs; then nothing has changed.
    """
    actor.require(Permission.ORDER_IMPORT)
    facts = inspect_file(path, rules.encoding)
    summary = ImportSummary(path.name, facts.sha256, facts.encoding)
    with open_csv(facts, rules.delimiter) as reader, suppress(_DryRunOver):
        positions = rules.mapping.positions(reader.header, path.name)
        with transaction() as session:
            import_staging.prepare(session)
            with closing(RejectedFile(path, reader.header, reader.delimiter)) as rejected:
                _stage(session, reader, positions, rules, rejected, progress)
                _reject_orders(session, facts, reader.delimiter, rejected)
                _write(session, actor, rules, rejected, summary)
            import_staging.drop(session)
            if dry_run:
                raise _DryRunOver
    return summary


def _stage(
    session: Session,
    reader: CsvReader,
    positions: dict[str, int],
    rules: ImportRules,
    rejected: RejectedFile,
    progress: Progress | None,
) -> None:
    """Read the file into `import_lines`; what cannot be used goes to the rejected lines."""

    def reject(line: int, row: list[str], error: LineError) -> None:
        rejected.add(line, row, error.kind, error.detail)

    lines = SaleLineReader(
        rules.mapping,
        positions,
        len(reader.header),
        zone=rules.zone,
        latest=utc_now() + timedelta(days=1),
        registered_only=rules.registered_only,
    )
    records = _reported(reader, progress) if progress else reader.records
    import_staging.load(session, lines.lines(records, reject))


def _reported(reader: CsvReader, progress: Progress) -> Iterator[Record]:
    for count, record in enumerate(reader.records):
        if count % _REPORT_EVERY == 0:
            progress(reader.position)
        yield record
    progress(reader.position)


def _reject_orders(
    session: Session, facts: FileFacts, delimiter: str, rejected: RejectedFile
) -> None:
    """Reject all lines of the orders that are refused, with their columns read once more."""
    import_deciding.decide(session)
    refused = session.execute(
        sa.text(import_deciding.REFUSED_LINES),
        execution_options={"stream_results": True, "yield_per": _REPORT_EVERY},
    )
    with open_csv(facts, delimiter) as again:
        for line, number, reason, customer, other in refused:
            row = next(row for at, row in again.records if at == line)
            rejected.add(line, row, reason, _told(reason, number, customer, other))


def _told(reason: str, number: str, customer: str | None, other: str | None) -> str:
    two = f"order {number} names two customers, {customer} and {other}"
    return {
        import_deciding.TWO_CUSTOMERS: two,
        import_deciding.STAFF: f"customer {customer} is the user name of a member of staff",
        import_deciding.TOO_LARGE: f"the total of order {number} is too large",
        import_deciding.NOTHING: f"credit note {number} gives nothing back",
        import_deciding.OTHER_CONTENT: f"order {number} already exists with other content",
        import_deciding.PAID_ALREADY: f"external payment {number} belongs to another order",
    }[reason]


def _write(
    session: Session,
    actor: Actor,
    rules: ImportRules,
    rejected: RejectedFile,
    summary: ImportSummary,
) -> None:
    """Create the rows, tell the change log, and put the rejected lines in place."""
    unchanged = import_deciding.count_unchanged(session)
    summary.orders_unchanged, lines = unchanged.get(False, (0, 0))
    summary.credit_notes_unchanged, credited = unchanged.get(True, (0, 0))
    summary.unchanged = lines + credited
    import_deciding.forget_decided(session)
    currency = rules.mapping.currency or rules.currency
    created = import_writing.create_rows(session, currency)
    notes = import_credits.create_notes(session, actor, currency)
    summary.credit_notes, summary.credited, summary.linked = notes
    summary.accepted, summary.orders = created["lines"], created["orders"]
    summary.customers, summary.products = created["customers"], created["products"]
    summary.categories = created["categories"]
    summary.rejected = dict(Counter(rejected.counts).most_common())
    summary.lines = summary.accepted + summary.credited + summary.unchanged + summary.rejected_lines
    if not summary.lines:
        raise FileFormatError(f"{summary.file} has a header and no lines below it.")
    if summary.orders or summary.credit_notes:
        details = asdict(summary)
        del details["rejected_file"]
        audit.record(session, actor, "order.import", details=details)
    rejected.publish()
    summary.rejected_file = rejected.path if summary.rejected else None
