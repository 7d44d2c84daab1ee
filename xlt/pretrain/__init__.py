"""Pretraining of the bundled encoder: from tables of text and a teacher to an encoder folder."""
