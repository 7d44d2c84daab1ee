"""Training with the joint loss."""
