"""The tables; importing this package maps all of them."""

from backoffice.models.audit import Change, ChangeSet
from backoffice.models.categories import Category
from backoffice.models.order_items import OrderItem
from backoffice.models.orders import Order, OrderStatus
from backoffice.models.products import Product, product_tags
from backoffice.models.profiles import Profile
from backoffice.models.tags import Tag
from backoffice.models.users import User

__all__ = [
    "Category",
    "Change",
    "ChangeSet",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Product",
    "Profile",
    "Tag",
    "User",
    "product_tags",
]
