"""Review of labels: suspect labels, and the quality of annotators."""
