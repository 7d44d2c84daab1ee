"""Taxonomy: annotators choose one path of a tree for an example, or several, or none."""
