"""Review of labels: which may be wrong, and how good annotators are."""
