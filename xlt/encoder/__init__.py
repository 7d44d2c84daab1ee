"""Reading texts with an encoder: its files, its tokens, its vectors."""
