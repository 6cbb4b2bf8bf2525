"""Read-only facts about the installation, and the backups of its database."""
