"""Connecting a project, and checking an installation."""
