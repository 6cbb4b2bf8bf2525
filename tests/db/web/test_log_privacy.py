"""What the log must not say of the data."""

from __future__ import annotations

import logging
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.models import Tag
from backoffice.web.logs import FactsJsonFormatter, TextFormatter
from tests.factories import make_tag


@pytest.mark.parametrize("formatter", [TextFormatter(), FactsJsonFormatter()])
@pytest.mark.parametrize("name", ["secret name", "secret\n\nof several lines"])
def test_a_refused_row_is_not_in_the_log(
    session: Session, formatter: logging.Formatter, name: str
) -> None:
    make_tag(session, name)
    with pytest.raises(IntegrityError), session.begin_nested():
        try:
            session.execute(sa.insert(Tag).values(name=name, version=1))
        except IntegrityError:
            text = formatter.formatException(sys.exc_info())
            raise

    assert "IntegrityError" in text
    assert "secret" not in text
    assert "several" not in text
    assert "test_log_privacy" in text
