"""Pairwise preference: annotators choose one of two texts, maybe with a third as the context."""
