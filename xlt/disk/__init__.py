"""Files that appear whole or not at all, and hashes of contents."""
