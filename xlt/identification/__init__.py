"""Identification of the language of texts, as far as their set makes it plausible."""
