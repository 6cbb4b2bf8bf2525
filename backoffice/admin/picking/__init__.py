"""Pickers: choosing rows of another table without ever loading that table."""
