"""Examples, and the tables, splits and languages that they come from."""
