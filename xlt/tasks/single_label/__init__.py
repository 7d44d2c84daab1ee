"""Single label: annotators choose one label for an example."""
