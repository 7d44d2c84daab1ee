"""Kinds of tasks: one folder a kind."""
