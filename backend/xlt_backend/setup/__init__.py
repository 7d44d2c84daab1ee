"""Connection of projects, and checks of an installation."""
