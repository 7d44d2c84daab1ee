"""Search in texts of many languages: by meaning, by words, and by translated words."""
