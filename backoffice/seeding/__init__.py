"""The fake-data generator: the same seed gives the same rows."""
