"""Use cases of the web server."""
