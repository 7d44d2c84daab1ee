"""Kinds of tasks: one folder for each, and what they share."""
