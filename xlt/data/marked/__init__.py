"""Texts with marked spans, in the forms of files: offsets, tokens with tags, a token per line."""
