"""Steps of a round, in their order."""
