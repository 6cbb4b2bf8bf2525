"""The console: its menu is this explicit list of views."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from backoffice.admin import formatters, icons, masking, measures, menu, viewer
from backoffice.admin.audit import ChangeSetView
from backoffice.admin.backups import BackupsPage
from backoffice.admin.bulk.plans import BulkPlanRowView, BulkPlanView
from backoffice.admin.categories import CategoryView
from backoffice.admin.customers import CustomerView
from backoffice.admin.guards import guard_arguments
from backoffice.admin.health import HealthPage
from backoffice.admin.home import HomePage
from backoffice.admin.maintenance import MaintenancePage
from backoffice.admin.migrations import MigrationsPage
from backoffice.admin.order_events import OrderEventView
from backoffice.admin.orders import OrderItemView, OrderView
from backoffice.admin.palette import PalettePage
from backoffice.admin.parts.declared import resolve_parts
from backoffice.admin.payments import PaymentView
from backoffice.admin.picking.view import check_pickers
from backoffice.admin.price_changes import PriceChangeView
from backoffice.admin.products import ProductView
from backoffice.admin.profile import ProfilePage
from backoffice.admin.quality import QualityPage
from backoffice.admin.refunds import RefundView
from backoffice.admin.reports import ReportsPage
from backoffice.admin.stock_movements import StockMovementView
from backoffice.admin.stock_take import StockTakePage
from backoffice.admin.tags import TagView
from backoffice.admin.users import ProfileView, UserView


def init_app(app: Flask) -> None:
    """Build the console on the app; views are bound to one app, so each app gets its own."""
    home = HomePage(name="Home", url="/admin")
    # Flask-Admin's own scripts and styles: none of our pages uses them.
    home.static_folder = None
    admin = Admin(
        app,
        name=app.config["SHOP_NAME"],
        index_view=home,
        theme=Bootstrap4Theme(base_template="layout.html"),
    )
    for view in (
        OrderView(name="Orders", category="Sell", endpoint="orders"),
        OrderItemView(name="Order items", category="Sell", endpoint="order_items"),
        PaymentView(name="Payments", category="Sell", endpoint="payments"),
        RefundView(name="Refunds", category="Sell", endpoint="refunds"),
        OrderEventView(name="Order events", category="Sell", endpoint="order_events"),
        ProductView(name="Products", category="Catalogue", endpoint="products"),
        CategoryView(name="Categories", category="Catalogue", endpoint="categories"),
        TagView(name="Tags", category="Catalogue", endpoint="tags"),
        StockMovementView(name="Stock movements", category="Catalogue", endpoint="stock_movements"),
        StockTakePage(name="Stock-take", category="Catalogue", endpoint="stock_take"),
        PriceChangeView(name="Price changes", category="Catalogue", endpoint="price_changes"),
        ProfileView(name="Profiles", category="Customers", endpoint="profiles"),
        ReportsPage(name="Reports", category="Reports", endpoint="reports"),
        BulkPlanView(name="Bulk changes", category="Operations", endpoint="bulk_plans"),
        BulkPlanRowView(name="Rows of plans", category="Operations", endpoint="bulk_plan_rows"),
        QualityPage(name="Data quality", category="Operations", endpoint="quality"),
        HealthPage(name="Health", category="Operations", endpoint="health"),
        MaintenancePage(name="Maintenance", category="Operations", endpoint="maintenance"),
        MigrationsPage(name="Migrations", category="Operations", endpoint="migrations"),
        BackupsPage(name="Backups", category="Operations", endpoint="backups"),
        UserView(name="Users", category="Administration", endpoint="users"),
        CustomerView(name="Customers", category="Customers", endpoint="customers"),
        ChangeSetView(name="Change log", category="Administration", endpoint="change_sets"),
        ProfilePage(name="Your profile", endpoint="profile"),
        PalettePage(name="Go to", endpoint="palette"),
    ):
        admin.add_view(view)
    check_pickers(admin)
    resolve_parts(admin)
    formatters.init_app(app)
    icons.init_app(app)
    masking.init_app(app)
    measures.init_app(app)
    menu.init_app(app, admin)
    viewer.init_app(app)
    guard_arguments(app, frozenset(view.blueprint.name for view in admin._views))  # noqa: SLF001
