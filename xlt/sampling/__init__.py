"""What to label next, language by language."""
