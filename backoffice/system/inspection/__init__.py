"""What there is to know of the process and its database, and what to do about it."""
