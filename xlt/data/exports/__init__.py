"""Exports of labelling tools, read as texts with the votes of their annotators."""
