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
    BACKUP_READ = "backup.read"
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_WRITE = "catalogue.write"
    CUSTOMER_CONTACT = "customer.contact"
    CUSTOMER_READ = "customer.read"
    CUSTOMER_REVEAL = "customer.reveal"
    CUSTOMER_WRITE = "customer.write"
    DATA_EXPORT = "data.export"
    HEALTH_READ = "health.read"
    MAINTENANCE_MANAGE = "maintenance.manage"
    MIGRATION_READ = "migration.read"
    ORDER_CANCEL = "order.cancel"
    ORDER_CAPTURE = "order.capture"
    ORDER_IMPORT = "order.import"
    ORDER_PLACE = "order.place"
    ORDER_READ = "order.read"
    ORDER_REFUND = "order.refund"
    ORDER_REFUND_LARGE = "order.refund_large"
    ORDER_SHIP = "order.ship"
    ORDER_WRITE = "order.write"
    PRICE_CHANGE = "price.change"
    QUALITY_READ = "quality.read"
    REPORT_READ = "report.read"
    STOCK_ADJUST = "stock.adjust"
    STOCK_RECEIVE = "stock.receive"
    STOCK_WRITE_OFF = "stock.write_off"
    USER_READ = "user.read"
    USER_WRITE = "user.write"
    VIEW_SHARE = "view.share"


P = Permission
_LOOK = frozenset({P.CATALOGUE_READ, P.CUSTOMER_READ, P.ORDER_READ, P.REPORT_READ})
_SUPPORT = frozenset(
    {
        P.CATALOGUE_READ,
        P.CUSTOMER_CONTACT,
        P.CUSTOMER_READ,
        P.CUSTOMER_REVEAL,
        P.CUSTOMER_WRITE,
        P.ORDER_CANCEL,
        P.ORDER_CAPTURE,
        P.ORDER_PLACE,
        P.ORDER_READ,
        P.ORDER_REFUND,
        P.ORDER_SHIP,
        P.ORDER_WRITE,
    }
)
_MANAGER = frozenset(
    {
        P.AUDIT_READ,
        P.CATALOGUE_WRITE,
        P.DATA_EXPORT,
        P.ORDER_IMPORT,
        P.ORDER_REFUND_LARGE,
        P.PRICE_CHANGE,
        P.QUALITY_READ,
        P.STOCK_ADJUST,
        P.STOCK_RECEIVE,
        P.STOCK_WRITE_OFF,
        P.VIEW_SHARE,
    }
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(),
    Role.ANALYST: _LOOK | {P.CUSTOMER_REVEAL, P.DATA_EXPORT},
    Role.SUPPORT: _SUPPORT,
    Role.MANAGER: _LOOK | _SUPPORT | _MANAGER,
    Role.OPERATOR: frozenset(
        {
            P.AUDIT_READ,
            P.BACKUP_READ,
            P.HEALTH_READ,
            P.MAINTENANCE_MANAGE,
            P.MIGRATION_READ,
            P.QUALITY_READ,
        }
    ),
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
