"""Reports: SQL files with a header, run read-only within a limit of time and rows."""
