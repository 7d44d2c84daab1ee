"""Payoff of labels: unbiased accuracy, gain of selection, improvement by the last labels."""
