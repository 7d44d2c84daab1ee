"""Selection of the next tasks to label, language by language."""
