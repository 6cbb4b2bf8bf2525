"""The tables; importing this package maps all of them."""

from backoffice.models.audit import Change, ChangeSet
from backoffice.models.categories import Category
from backoffice.models.login_sessions import LoginSession
from backoffice.models.order_items import OrderItem
from backoffice.models.orders import Order, OrderStatus
from backoffice.models.preferences import Preference
from backoffice.models.products import Product, product_tags
from backoffice.models.profiles import Profile
from backoffice.models.saved_views import SavedView
from backoffice.models.tags import Tag
from backoffice.models.users import User

__all__ = [
    "Category",
    "Change",
    "ChangeSet",
    "LoginSession",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Preference",
    "Product",
    "Profile",
    "SavedView",
    "Tag",
    "User",
    "product_tags",
]
