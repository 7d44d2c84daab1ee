"""Reasons for a model's label: words for and against it, what would change it, texts like it."""
