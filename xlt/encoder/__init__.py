"""Encoders: their files, their tokens, and the vectors that they give texts."""
