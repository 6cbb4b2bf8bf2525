"""Backoffice: an admin back-office and data-ops console for an online shop's data."""

__version__ = "0.1.0"
