"""Durable writes and content hashes."""
