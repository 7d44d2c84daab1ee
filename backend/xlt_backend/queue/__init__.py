"""The queue of training rounds, and project state, in Redis."""
