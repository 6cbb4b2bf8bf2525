"""The tables; importing this package maps all of them."""

from backoffice.models.audit import Change, ChangeSet
from backoffice.models.bulk_plans import BulkPlan, BulkPlanRow, PlanState, RowOutcome
from backoffice.models.categories import Category
from backoffice.models.health_samples import HealthSample
from backoffice.models.login_sessions import LoginSession
from backoffice.models.maintenance import Maintenance, MaintenanceMode
from backoffice.models.number_series import NumberSeries
from backoffice.models.order_events import OrderEvent, OrderEventKind
from backoffice.models.order_items import OrderItem
from backoffice.models.orders import Order, OrderStatus
from backoffice.models.payments import Payment, PaymentStatus
from backoffice.models.preferences import Preference
from backoffice.models.price_changes import PriceChange
from backoffice.models.products import Product, product_tags
from backoffice.models.profiles import Profile
from backoffice.models.refunds import Refund, RefundItem, RefundKind, RefundStatus
from backoffice.models.saved_views import SavedView
from backoffice.models.stock_movements import MovementKind, StockMovement
from backoffice.models.tags import Tag
from backoffice.models.users import User

__all__ = [
    "BulkPlan",
    "BulkPlanRow",
    "Category",
    "Change",
    "ChangeSet",
    "HealthSample",
    "LoginSession",
    "Maintenance",
    "MaintenanceMode",
    "MovementKind",
    "NumberSeries",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "OrderItem",
    "OrderStatus",
    "Payment",
    "PaymentStatus",
    "PlanState",
    "Preference",
    "PriceChange",
    "Product",
    "Profile",
    "Refund",
    "RefundItem",
    "RefundKind",
    "RefundStatus",
    "RowOutcome",
    "SavedView",
    "StockMovement",
    "Tag",
    "User",
    "product_tags",
]
