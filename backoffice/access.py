"""Who may do what: plain Python, no Flask, no database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backoffice.errors import PermissionDeniedError


class Role(StrEnum):
    """What a user is to the shop; everyone but the customer is staff."""

    CUSTOMER = "customer"
    ANALYST = "analyst"
    SUPPORT = "support"
    MANAGER = "manager"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def is_staff(self) -> bool:
        """Whether this role may sign in to the console."""
        return self is not Role.CUSTOMER


class Permission(StrEnum):
    """One thing that a person can be allowed to do."""

    AUDIT_READ = "audit.read"
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_WRITE = "catalogue.write"
    CUSTOMER_READ = "customer.read"
    CUSTOMER_WRITE = "customer.write"
    DATA_EXPORT = "data.export"
    HEALTH_READ = "health.read"
    MIGRATION_READ = "migration.read"
    ORDER_IMPORT = "order.import"
    ORDER_READ = "order.read"
    ORDER_WRITE = "order.write"
    REPORT_READ = "report.read"
    USER_READ = "user.read"
    USER_WRITE = "user.write"
    VIEW_SHARE = "view.share"


P = Permission
_LOOK = frozenset({P.CATALOGUE_READ, P.ORDER_READ, P.REPORT_READ})
_SUPPORT = frozenset(
    {P.CATALOGUE_READ, P.ORDER_READ, P.ORDER_WRITE, P.CUSTOMER_READ, P.CUSTOMER_WRITE}
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(),
    Role.ANALYST: _LOOK | {P.DATA_EXPORT},
    Role.SUPPORT: _SUPPORT,
    Role.MANAGER: _LOOK
    | _SUPPORT
    | {P.CATALOGUE_WRITE, P.DATA_EXPORT, P.ORDER_IMPORT, P.AUDIT_READ, P.VIEW_SHARE},
    Role.OPERATOR: frozenset({P.HEALTH_READ, P.MIGRATION_READ, P.AUDIT_READ}),
    Role.ADMIN: frozenset(Permission),
}


class Source(StrEnum):
    """From where a change was made."""

    FORM = "form"
    CELL = "cell"
    BULK = "bulk"
    IMPORT = "import"
    COMMAND = "command"
    API = "api"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where; `user_id` is None for the command line."""

    user_id: int | None
    name: str
    permissions: frozenset[Permission]
    source: Source
    role: Role | None = None

    def can(self, permission: Permission) -> bool:
        """Whether the actor holds the permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise PermissionDeniedError unless the actor holds the permission."""
        if not self.can(permission):
            raise PermissionDeniedError("You do not have the permission to do this.")


def staff_actor(user_id: int, name: str, role: Role, source: Source = Source.FORM) -> Actor:
    """Return the actor for a signed-in member of staff."""
    return Actor(user_id, name, GRANTS[role], source, role)


def command_actor(name: str, source: Source = Source.COMMAND) -> Actor:
    """Return the actor for a person at the shell, who already owns the database."""
    return Actor(None, name, frozenset(Permission), source)
