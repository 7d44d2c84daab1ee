"""Measures of uncertainty and diversity from the literature, as baselines."""
