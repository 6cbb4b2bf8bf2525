"""Parsing and writing of files: pure, no database, no Flask."""
