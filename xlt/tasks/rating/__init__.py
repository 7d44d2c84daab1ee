"""Rating: annotators place an example on a scale of numbers."""
