"""Every table in the console: what is shown, what is refused, what is logged."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.access import Role
from backoffice.models import User


def test_a_manager_sees_products(
    session: Session, client: FlaskClient, sign_in: Callable[[Role], User]
) -> None:
    sign_in(Role.MANAGER)
    response = client.get("/admin/products/")
    assert response.status_code == 200
