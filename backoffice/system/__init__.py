"""Read-only facts about the installation."""
