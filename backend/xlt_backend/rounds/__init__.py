"""Rounds: from a snapshot of a project to a published order."""
