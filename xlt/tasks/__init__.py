"""Kinds of tasks: one folder for each kind, and modules that they share."""
