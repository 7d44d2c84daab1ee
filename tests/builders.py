"""Small objects that tests build again and again."""
