"""Processes of an installation, and how they are started."""
