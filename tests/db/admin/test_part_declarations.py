"""A part that cannot work stops the start, and says why."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from backoffice.admin import init_app
from backoffice.admin.categories import CategoryView
from backoffice.admin.parts.declared import Part
from backoffice.admin.products import ProductView
from backoffice.admin.users import UserView


@pytest.mark.parametrize(
    ("view", "part", "message"),
    [
        (UserView, Part("profile", "tags", "?"), r"User\.profile does not lead to tags and back"),
        (ProductView, Part("tags", "tags", "?"), r"Product\.tags does not lead to tags and back"),
        (CategoryView, Part("parent", "categories", "?"), "what does not belong to it"),
        (UserView, Part("orders", "orders", "?", columns=("status",)), "no form with status"),
        (CategoryView, Part("children", "categories", "?"), "a picker in each of many rows"),
    ],
)
def test_a_part_that_cannot_work_does_not_start(
    monkeypatch: pytest.MonkeyPatch, view: Any, part: Part, message: str, app: Flask
) -> None:
    monkeypatch.setattr(view, "parts", (part,))
    other = Flask("other", root_path=app.root_path)
    other.config.from_mapping(app.config)

    with other.app_context(), pytest.raises(TypeError, match=message):
        init_app(other)
