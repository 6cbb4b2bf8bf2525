"""Accounts and the people behind them."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from sqlalchemy.orm import joinedload
from wtforms.validators import Email, InputRequired, Regexp

from backoffice.access import Permission
from backoffice.admin.base import TableView
from backoffice.admin.forms import lowered, stripped
from backoffice.admin.guards import current_actor
from backoffice.admin.parts.declared import Part
from backoffice.admin.picking.picker import Picker
from backoffice.admin.record import Panel
from backoffice.errors import RuleViolationError
from backoffice.models import Profile, User
from backoffice.services.users import DeactivateMany, set_active

_EMAIL = {"filters": [stripped, lowered], "validators": [Email("Enter an e-mail address.")]}


class UserView(TableView):
    """Accounts; role and password have their own commands, (de)activating its own buttons."""

    model_class = User
    read = Permission.USER_READ
    write = Permission.USER_WRITE
    deletes = False

    column_list = ("username", "email", "role", "is_active", "last_login_at", "created_at")
    column_details_list = (*column_list, "updated_at", "profile")
    sortable = ("username", "email", "role", "last_login_at", "created_at")
    filters = ("role", "is_active", "last_login_at", "created_at")
    searchable = ("username", "email")
    column_labels = {"email": "E-mail", "username": "User name"}
    eager = (joinedload(User.profile).load_only(Profile.full_name),)
    groups = {
        "Account": ("username", "email", "role", "is_active", "profile"),
        "Use": ("last_login_at", "created_at", "updated_at"),
    }
    panels = (Panel("orders", "user"),)
    parts = (Part("profile", "profiles", "Profile"),)
    details_template = "admin/users/details.html"
    bulk_label = ("username",)
    bulk_actions = (
        DeactivateMany(
            name="deactivate",
            label="Deactivate",
            model=User,
            permission=Permission.USER_WRITE,
            column=User.is_active,
            value=False,
            wants_reason=True,
        ),
    )
    form_columns = ("username", "email")
    form_args: dict[str, Any] = {
        "username": {
            "filters": [stripped, lowered],
            "validators": [
                InputRequired("Enter a user name."),
                Regexp(r"[a-z0-9._@+-]{1,150}\Z", message="Letters, digits and . _ @ + - only."),
            ],
        },
        "email": _EMAIL,
    }

    @expose("/activate/", methods=("POST",))
    def activate(self) -> Any:
        """Let the account sign in again."""
        return self._set_active(is_active=True)

    @expose("/deactivate/", methods=("POST",))
    def deactivate(self) -> Any:
        """Let the account sign in no longer, and end its sessions."""
        return self._set_active(is_active=False)

    def _set_active(self, *, is_active: bool) -> Any:
        current_actor().require(Permission.USER_WRITE)
        user = self.get_one(request.form.get("id", ""))
        key, name = user.id, str(user)
        try:
            set_active(current_actor(), key, is_active=is_active)
        except RuleViolationError as error:
            flash(str(error), "danger")
        else:
            flash(f"{name} is {'active' if is_active else 'deactivated'}.", "success")
        return redirect(request.form.get("url") or self.get_url(".details_view", id=key))


class ProfileView(TableView):
    """What is known of a person."""

    model_class = Profile
    read = Permission.CUSTOMER_READ
    write = Permission.CUSTOMER_WRITE
    creates = False
    deletes = False

    def is_visible(self) -> bool:
        """Not in the menu: the customer's page leads here."""
        return False

    column_list = ("user", "full_name", "country", "phone_number", "updated_at")
    column_details_list = (*column_list, "bio", "avatar_url", "created_at")
    sortable = ("full_name", ("user", User.username))
    filters = ("country", "user")
    searchable = ("full_name",)
    column_labels = {"avatar_url": "Avatar address"}
    eager = (joinedload(Profile.user).load_only(User.username),)
    pickers = {
        "user": Picker(
            User, search=("username", "email"), hint="email", read=Permission.CUSTOMER_READ
        )
    }
    groups = {
        "Person": ("user", "full_name", "country", "phone_number", "bio", "avatar_url"),
        "Record": ("created_at", "updated_at"),
    }
    panels = (Panel("orders", "user", key="user_id"),)
    editable = ("full_name", "country", "phone_number")
    form_columns = ("full_name", "phone_number", "country", "bio", "avatar_url")
    form_args: dict[str, Any] = {
        "full_name": {"filters": [stripped]},
        "avatar_url": {
            "filters": [stripped],
            "validators": [Regexp(r"https://\S+\Z", message="An address beginning with https://")],
        },
    }
