"""How the bundled encoder is made: from tables of text and a teacher to an encoder folder."""
