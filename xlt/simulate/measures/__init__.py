"""Uncertainty and diversity measures of the literature, as baselines."""
