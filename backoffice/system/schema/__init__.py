"""The schema as operators see it: its history, what waits and what that costs, and drift."""
