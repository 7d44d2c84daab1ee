"""Several controls of one interface, each with a task of its own."""
