"""Several labels: annotators choose any of the labels for an example, or none of them."""
