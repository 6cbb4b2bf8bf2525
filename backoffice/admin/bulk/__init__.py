"""Bulk actions: choosing rows of a list, looking at the sealed plan, and carrying it out."""
