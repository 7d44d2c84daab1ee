"""Simulation: replays a labelled data set as if annotators worked through it."""
