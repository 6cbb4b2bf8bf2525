"""Lists: what is asked for in the URL, and the one statement that answers it."""
