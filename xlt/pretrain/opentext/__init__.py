"""Builds the table of openly licensed translations from pinned packages of public registries."""
