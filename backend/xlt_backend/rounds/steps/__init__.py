"""Steps of a round, one per module."""
