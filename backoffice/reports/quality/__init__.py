"""What must always be true of the data, and where it is not."""
