"""What a view may not leave open: the start fails, and says what is missing."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_admin.form import BaseForm
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wtforms.fields import BooleanField, DateField, HiddenField, StringField, TextAreaField

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.moments import AwareDateTimeField
from backoffice.admin.picking.picker import Picker
from backoffice.admin.products import ProductView
from backoffice.db import UtcDateTimeType
from backoffice.models import Category, Order, Product, Tag, User


class _Base(DeclarativeBase):
    """Tables that are in no database."""


class Sample(_Base):
    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str] = mapped_column(sa.String(3))
    note: Mapped[str | None] = mapped_column(sa.Text)
    is_good: Mapped[bool]
    happened_at: Mapped[Any] = mapped_column(UtcDateTimeType(), nullable=True)
    day_on: Mapped[Any] = mapped_column(sa.Date, nullable=True)
    address: Mapped[Any] = mapped_column(INET, nullable=True)
    shape: Mapped[Any] = mapped_column(sa.Uuid, nullable=True)
    facts: Mapped[Any] = mapped_column(sa.JSON, nullable=True)


class SampleView(TableView):
    model_class: ClassVar[Any] = Sample
    read = Permission.CATALOGUE_READ
    write = Permission.CATALOGUE_WRITE
    column_list = ("code",)
    column_details_list = ("code",)
    form_columns: Any = ("code", "note", "is_good", "happened_at", "day_on")


def build(app: Flask, view: type[TableView], **declared: Any) -> TableView:
    """Return a view of the class with some of its declarations changed."""
    with app.app_context():
        made: TableView = type(view.__name__, (view,), declared)()
        return made


@pytest.mark.parametrize("name", ["column_list", "column_details_list", "read", "form_columns"])
def test_a_view_that_leaves_something_open_does_not_start(app: Flask, name: str) -> None:
    with pytest.raises(TypeError, match=f"ProductView must declare {name}"):
        build(app, ProductView, **{name: ()})


def test_a_relation_in_a_form_without_a_picker_does_not_start(app: Flask) -> None:
    tags = ProductView.pickers["tags"]

    with pytest.raises(TypeError, match=r"ProductView\.category leads to another table"):
        build(app, ProductView, pickers={"tags": tags}, filters=())


def test_a_relation_in_a_filter_without_a_picker_does_not_start(app: Flask) -> None:
    with pytest.raises(TypeError, match=r"ProductView\.category leads to another table"):
        build(app, ProductView, pickers={}, form_columns=("name",), filters=("category",))


@pytest.mark.parametrize(
    ("picker", "message"),
    [
        (Picker(Tag, search=("name",)), "does not lead to Tag"),
        (Picker(Category, search=("name",), many=True), "must say many=False"),
        (Picker(Category, search=("title",)), "no column or relation 'title'"),
        (Picker(Category, search=("name",), hint="owner.name"), "no column or relation 'owner'"),
        (Picker(Category, search=("name",), order="rank"), "no column or relation 'rank'"),
    ],
)
def test_a_picker_that_cannot_work_does_not_start(app: Flask, picker: Picker, message: str) -> None:
    pickers = ProductView.pickers | {"category": picker}

    with pytest.raises(TypeError, match=message):
        build(app, ProductView, pickers=pickers)


@pytest.mark.parametrize("name", ["shape", "facts", "address"])
def test_a_type_without_a_field_does_not_start(app: Flask, name: str) -> None:
    with pytest.raises(TypeError, match=rf"Sample\.{name}: no form field for this type"):
        build(app, SampleView, form_columns=(name,))


def test_a_view_without_a_form_scaffolds_none(app: Flask) -> None:
    view = build(app, SampleView, write=None, form_columns=())

    assert [field.name for field in view._create_form_class()] == ["form_token"]
    assert {"row_version", "form_token"}.isdisjoint(vars(BaseForm))


def test_each_type_has_its_field(app: Flask) -> None:
    view = build(app, SampleView)
    with app.test_request_context():
        form = view._create_form_class()

    kinds = {field.name: type(field) for field in form}
    assert kinds == {
        "code": StringField,
        "note": TextAreaField,
        "is_good": BooleanField,
        "happened_at": AwareDateTimeField,
        "day_on": DateField,
        "form_token": HiddenField,
    }
    assert 'maxlength="3"' in str(form["code"]())
    assert 'type="date"' in str(form["day_on"]())
    assert 'type="datetime-local"' in str(form["happened_at"]())


def test_every_relation_that_can_be_picked_has_a_view(app: Flask) -> None:
    (admin,) = app.extensions["admin"]
    views = [view for view in admin._views if isinstance(view, TableView)]
    targets = {
        view.target_of(picker).model_class for view in views for picker in view.pickers.values()
    }

    assert targets == {Category, Order, Product, Tag, User}
    assert Order in {view.model_class for view in views}
