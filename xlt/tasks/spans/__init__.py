"""Spans: annotators mark parts of a text, each with one of the labels, or none."""
