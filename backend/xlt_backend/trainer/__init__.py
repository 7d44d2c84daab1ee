"""The training process, seen from the worker and from inside."""
