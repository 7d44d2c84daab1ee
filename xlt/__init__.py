"""xlt: cheap labels in one language become good models of scarce ones."""

__version__ = "0.1.0"
