"""Backups of the database: made, listed, proved, restored and thinned out.

A backup is one folder that holds the dump, `manifest.json` (what is in it) and `SHA256SUMS`; it
gets its name by a rename when all of it is on disk. `verification.json` says how the last proof
went.
"""
