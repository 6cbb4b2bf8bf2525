"""Rows of another table that are edited in the form of the record that they belong to."""
