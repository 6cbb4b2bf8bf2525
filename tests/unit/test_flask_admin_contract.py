"""What we override of Flask-Admin, or call without being invited, is still what it was.

Private names change without notice. When this fails after an upgrade, read what has changed at
the override before changing the line here.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from flask_admin import Admin, AdminIndexView, BaseView
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.model.form import ModelConverterBase

CONTRACT: list[tuple[type[Any], str, str]] = [
    (BaseView, "_handle_view", "(self, name, **kwargs)"),
    (BaseView, "_run_view", "(self, fn, *args, **kwargs)"),
    (BaseView, "inaccessible_callback", "(self, name, **kwargs)"),
    (BaseView, "is_accessible", "(self)"),
    (BaseView, "is_visible", "(self)"),
    (BaseView, "render", "(self, template, **kwargs)"),
    (BaseView, "get_url", "(self, endpoint, **kwargs)"),
    (BaseView, "create_blueprint", "(self, admin)"),
    (Admin, "menu", "(self)"),
    (Admin, "add_view", "(self, view)"),
    (ModelView, "__init__", (
        "(self, model, session, name, category, endpoint, url, static_folder, "
        "menu_class_name, menu_icon_type, menu_icon_value)"
    )),
    (ModelView, "scaffold_form", "(self)"),
    (ModelView, "get_create_form", "(self)"),
    (ModelView, "get_edit_form", "(self)"),
    (ModelView, "create_form", "(self, obj)"),
    (ModelView, "edit_form", "(self, obj)"),
    (ModelView, "validate_form", "(self, form)"),
    (ModelView, "create_model", "(self, form)"),
    (ModelView, "get_save_return_url", "(self, model, is_created)"),
    (ModelView, "update_model", "(self, form, model)"),
    (ModelView, "delete_model", "(self, model)"),
    (ModelView, "build_new_instance", "(self)"),
    (ModelView, "get_one", "(self, id)"),
    (ModelView, "get_column_name", "(self, field)"),
    (ModelView, "_prettify_name", "(self, name)"),
    (ModelView, "get_list_value", "(self, context, model, name)"),
    (ModelView, "get_detail_value", "(self, context, model, name)"),
    (ModelView, "index_view", "(self)"),
    (ModelView, "create_view", "(self)"),
    (ModelView, "edit_view", "(self)"),
    (ModelView, "details_view", "(self)"),
    (ModelView, "delete_view", "(self)"),
    (ModelView, "action_view", "(self)"),
    (ModelView, "ajax_update", "(self)"),
    (ModelView, "ajax_lookup", "(self)"),
    (ModelView, "export", "(self, export_type)"),
    (AdminModelConverter, "__init__", "(self, session, view)"),
    (AdminModelConverter, "convert", "(self, model, mapper, name, prop, field_args, hidden_pk)"),
    (AdminModelConverter, "_get_label", "(self, name, field_args)"),
    (AdminModelConverter, "_model_select_field", "(self, prop, multiple, remote_model, **kwargs)"),
    (ModelConverterBase, "get_converter", "(self, column)"),
]  # fmt: skip


def shape(owner: type[Any], name: str) -> str:
    """Return the names of the parameters: annotations and defaults may move."""
    stars: dict[Any, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    found = inspect.signature(getattr(owner, name)).parameters.values()
    return f"({', '.join(stars.get(each.kind, '') + each.name for each in found)})"


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("flask-admin") == "2.2.1"


@pytest.mark.parametrize(("owner", "name", "expected"), CONTRACT)
def test_what_is_overridden_has_the_shape_that_was_read(
    owner: type[Any], name: str, expected: str
) -> None:
    assert shape(owner, name) == expected


def test_an_index_view_still_brings_static_files_that_we_take_away() -> None:
    assert AdminIndexView().static_folder == "static"


def test_every_override_is_in_the_contract() -> None:
    from backoffice.admin.base import TableView
    from backoffice.admin.forms import Converter
    from backoffice.admin.guards import Page

    held = {name for _owner, name, _shape in CONTRACT}
    for ours, theirs in (
        (TableView, ModelView),
        (Page, BaseView),
        (Converter, AdminModelConverter),
    ):
        own = [base for base in ours.__mro__ if base.__module__.startswith("backoffice")]
        overridden = {
            name
            for base in own
            for name, value in vars(base).items()
            if inspect.isfunction(value) and inspect.isfunction(getattr(theirs, name, None))
        }
        # Each conversion of a type is named by what it is for; Flask-Admin finds it by that.
        overridden -= {
            name for name in overridden if hasattr(getattr(theirs, name), "_converter_for")
        }
        assert overridden - held == set(), ours
