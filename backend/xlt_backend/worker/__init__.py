"""Jobs that the worker runs."""
