"""Texts with marked spans, in the forms that files have them: offsets, tokens with tags, columns."""
