"""Numbers that people read aloud, apart from the keys of rows."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Sequence, String
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base

# Only so that what makes the tables makes it, too.
Sequence("order_numbers", start=1_000_001, metadata=Base.metadata)


class NumberSeries(Base):
    """The last number given of one kind; it only rises, and gaps do no harm.

    On PostgreSQL the numbers of orders come from a sequence instead, for which nobody waits.
    """

    __tablename__ = "number_series"
    __table_args__ = (CheckConstraint("last_number >= 0", name="last_number_not_negative"),)

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)
