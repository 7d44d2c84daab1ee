"""Training of models with the joint loss."""
