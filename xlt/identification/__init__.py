"""Which language a text is in, as far as the set that it belongs to makes it plausible."""
